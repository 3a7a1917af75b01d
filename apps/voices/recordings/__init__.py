"""Recordings of a voice: checked, and made into a reference, where a hostile file can do no harm."""
