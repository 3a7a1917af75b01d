"""Whether two clips are one recording: the fingerprint of Haitsma and Kalker (ISMIR 2002).

32 bits each 11.6 ms, of how energy changes between 33 bands from 300 to 2000 Hz and over time. They survive
another codec, rate, level and noise; another reading of the same sentence differs as any other clip does.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apps.contributions.quality.decoding import Samples

Fingerprint = NDArray[np.uint32]

RATE: Final = 5_500
_FRAME: Final = 2_048
_HOP: Final = 64
_BANDS: Final = 33
_LOWEST_HZ: Final = 300.0
_HIGHEST_HZ: Final = 2_000.0
_BITS: Final = 32
# Chance alone makes short stretches alike: 3 s, or most of a shorter clip.
_MIN_OVERLAP: Final = 256
_MIN_OVERLAP_SHARE: Final = 0.75
_VERSION: Final = b"\x01"
MIN_SHARED_KEYS: Final = 5


def fingerprint(samples: Samples) -> Fingerprint:
    """Of mono at `RATE`, from the first speech to the last: silences are alike. Empty under 0.4 s."""
    if len(samples) < _FRAME + _HOP:
        return np.zeros(0, np.uint32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    powers = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32))) ** 2
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1) * _FRAME / RATE
    sums = np.concatenate([np.zeros((len(powers), 1)), np.cumsum(powers, axis=1)], axis=1)
    bands = np.diff(sums[:, np.round(edges).astype(int)], axis=1)
    falls = bands[:, :-1] - bands[:, 1:]
    bits = falls[1:] > falls[:-1]
    weights = np.uint32(1) << np.arange(_BITS, dtype=np.uint32)
    return np.asarray((bits * weights).sum(axis=1, dtype=np.uint32))


def serialise(values: Fingerprint) -> bytes:
    """A byte of version, then four a value, little-endian: about 350 bytes a second."""
    return _VERSION + values.astype("<u4").tobytes()


def deserialise(data: bytes) -> Fingerprint:
    """Raises `ValueError` for what `serialise` did not write."""
    if data[:1] != _VERSION or len(data) % 4 != 1:
        raise ValueError("This is no fingerprint of this version.")
    return np.frombuffer(data, "<u4", offset=1).astype(np.uint32)


def bit_error_rate(one: Fingerprint, other: Fingerprint) -> float:
    """The share of bits that differ where the two fit best, over every way to lay one along the other.

    0 is the same recording, about 0.4 the best of chance; 1.0 where either is empty.
    """
    if not len(one) or not len(other):
        return 1.0
    shorter = min(len(one), len(other))
    needed = min(_MIN_OVERLAP, int(np.ceil(_MIN_OVERLAP_SHARE * shorter)))
    agreed = _agreement(one, other)
    lags = np.arange(-(len(other) - 1), len(one))
    overlap = np.minimum(len(one), lags + len(other)) - np.maximum(0, lags)
    fits = overlap >= needed
    return float(((1 - agreed[fits] / (_BITS * overlap[fits])) / 2).min())


def _agreement(one: Fingerprint, other: Fingerprint) -> np.ndarray:
    """For every lag, the bits that agree less those that differ: a correlation, by spectra."""
    length = len(one) + len(other) - 1
    spectrum = np.fft.rfft(_signs(one), length, axis=0) * np.conj(np.fft.rfft(_signs(other), length, axis=0))
    circular = np.fft.irfft(spectrum.sum(axis=1), length)
    return np.roll(circular, len(other) - 1)


def _signs(values: Fingerprint) -> np.ndarray:
    bits = (values[:, None] >> np.arange(_BITS, dtype=np.uint32)) & 1
    return bits.astype(np.float32) * 2 - 1


def index_keys(values: Fingerprint) -> list[int]:
    """To find candidates by: values that occur unchanged in most re-encoded copies, as signed 32-bit numbers.

    Store them in a table or an array column with an index: clips that share `MIN_SHARED_KEYS` are compared. A
    copy shares 12 and more, another clip 3 at the most (`make bench-quality`). Values with few or many bits
    set are left out, for quiet stretches have them in common.
    """
    set_bits = ((values[:, None] >> np.arange(_BITS, dtype=np.uint32)) & 1).sum(axis=1)
    telling = np.unique(values[(set_bits >= 8) & (set_bits <= 24)])
    return [int(value) for value in telling.astype(np.uint32).view(np.int32)]
