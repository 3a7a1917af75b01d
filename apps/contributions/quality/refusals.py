"""Why a file is no clip at all, in the contributor's words."""

from __future__ import annotations

from typing import Final

from apps.contributions.quality.child import MAX_SECONDS

MAX_BYTES: Final = 16_000_000

WORDS: Final = {
    "empty": "The file is empty: the upload may have been interrupted. Please send it again.",
    "too_large": f"The file is larger than {MAX_BYTES // 10**6} MB: please record one sentence at a time.",
    "not_audio": "This is not a recording that we can read. Send WAV, FLAC, MP3, M4A, Ogg or WebM.",
    "damaged": "The recording is damaged or was not sent completely. Please send it again or record anew.",
    "no_samples": "The recording holds no sound at all. Please record again.",
    "video": "The file holds a picture or video: please send sound only.",
    "streams": "The file must hold one recording and nothing else.",
    "sample_rate": "The recording has an unusual sample rate: 8 to 192 kHz can be used.",
    "channels": "The recording has an unusual number of channels: please record in mono or stereo.",
    "too_long": f"The recording is longer than {MAX_SECONDS} seconds: please read only the sentence shown.",
    "too_much_work": "The recording takes too long to decode. Please record it again.",
}
