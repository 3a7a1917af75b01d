"""The shapes in which a release is given out. Each writes one file, byte for byte the same each time.

Audio is never resampled: WAV is what the stored FLAC decodes to, at 48 kHz, and all others hold the FLAC
itself. Loaders bring it to the rate they want.
"""
