"""The 44-byte header of a WAV file with 16-bit PCM."""

from __future__ import annotations

import struct

UNKNOWN_SIZE = 0xFFFFFFFF


def header(*, sample_rate: int, data_bytes: int | None, channels: int = 1) -> bytes:
    """Exact sizes for `data_bytes`; `None` is a stream, whose RIFF and data sizes are 0xFFFFFFFF."""
    block = channels * 2
    data_size = UNKNOWN_SIZE if data_bytes is None else data_bytes
    riff_size = UNKNOWN_SIZE if data_bytes is None else data_bytes + 36
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        riff_size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        sample_rate,
        sample_rate * block,
        block,
        16,
        b"data",
        data_size,
    )
