"""Samples to bytes: 16-bit little-endian mono PCM, bare or behind a WAV header."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

EMPTY: Final[Samples] = np.zeros(0, np.float32)
SAMPLE_BYTES: Final = 2
WAV_HEADER_BYTES: Final = 44
_UNKNOWN_SIZE: Final = 0xFFFFFFFF


def to_finite(samples: Samples) -> Samples:
    """Float samples held within [-1, 1]; what is not a number becomes silence."""
    if not np.isfinite(samples).all():
        samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(samples, -1.0, 1.0)


def to_int16(samples: Samples) -> NDArray[np.int16]:
    """Float samples in [-1, 1] as 16-bit integers; what lies outside is clipped, no number is silence."""
    return (to_finite(samples) * np.float32(32767.0)).round().astype("<i2")


def to_pcm16(samples: Samples) -> bytes:
    """The same as s16le bytes."""
    return to_int16(samples).tobytes()


def wav_header(sample_rate: int, data_bytes: int | None) -> bytes:
    """The 44 bytes before mono s16le samples; `data_bytes` None is a stream whose size is not known yet."""
    data_size = _UNKNOWN_SIZE if data_bytes is None else data_bytes
    riff_size = _UNKNOWN_SIZE if data_bytes is None else data_bytes + WAV_HEADER_BYTES - 8
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        riff_size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        sample_rate,
        sample_rate * SAMPLE_BYTES,
        SAMPLE_BYTES,
        8 * SAMPLE_BYTES,
        b"data",
        data_size,
    )


def duration_ms(pcm_bytes: int, sample_rate: int) -> int:
    """How long that many bytes of PCM play, in whole milliseconds, rounded down."""
    return pcm_bytes * 1000 // (SAMPLE_BYTES * sample_rate)
