"""The 44-byte header of a WAV file."""

from __future__ import annotations

import struct
from typing import Literal

# By codec: the tag of its format, and the bytes of one sample.
_CODECS = {"pcm": (1, 2), "alaw": (6, 1), "mulaw": (7, 1)}
UNKNOWN_SIZE = 0xFFFFFFFF


def header(
    *,
    sample_rate: int,
    data_bytes: int | None,
    channels: int = 1,
    codec: Literal["pcm", "alaw", "mulaw"] = "pcm",
) -> bytes:
    """Exact sizes for `data_bytes`; `None` is a stream, whose RIFF and data sizes are 0xFFFFFFFF.

    PCM has 16 bits a sample, A-law and µ-law have 8.
    """
    tag, sample_bytes = _CODECS[codec]
    block = channels * sample_bytes
    data_size = UNKNOWN_SIZE if data_bytes is None else data_bytes
    riff_size = UNKNOWN_SIZE if data_bytes is None else data_bytes + 36
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        riff_size,
        b"WAVE",
        b"fmt ",
        16,
        tag,
        channels,
        sample_rate,
        sample_rate * block,
        block,
        8 * sample_bytes,
        b"data",
        data_size,
    )
