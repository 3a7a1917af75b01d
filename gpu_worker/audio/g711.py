"""ITU-T G.711: 16-bit samples to mu-law and A-law bytes by table."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def to_mulaw(samples: NDArray[np.int16]) -> bytes:
    """One byte a sample."""
    return _mulaw_table()[samples.view(np.uint16)].tobytes()


def to_alaw(samples: NDArray[np.int16]) -> bytes:
    """One byte a sample."""
    return _alaw_table()[samples.view(np.uint16)].tobytes()


def _every_sample() -> NDArray[np.int32]:
    """All 16-bit values in the order of their unsigned patterns."""
    return np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)


@cache
def _mulaw_table() -> Bytes:
    values = _every_sample()
    magnitudes = np.minimum(np.abs(values), 32_635) + 132
    exponents = np.floor(np.log2(magnitudes)).astype(np.int32) - 7
    mantissas = (magnitudes >> (exponents + 3)) & 0x0F
    signs = np.where(values < 0, 0x80, 0)
    codes: Bytes = (~(signs | (exponents << 4) | mantissas) & 0xFF).astype(np.uint8)
    return codes


@cache
def _alaw_table() -> Bytes:
    values = _every_sample()
    # Negative values are mirrored by complement, so that -1 is as small as 0.
    magnitudes = np.where(values < 0, ~values, values) >> 3
    exponents = np.maximum(np.floor(np.log2(np.maximum(magnitudes, 1))).astype(np.int32) - 4, 0)
    mantissas = (magnitudes >> np.maximum(exponents, 1)) & 0x0F
    signs = np.where(values < 0, 0, 0x80)
    codes: Bytes = ((signs | (exponents << 4) | mantissas) ^ 0x55).astype(np.uint8)
    return codes
