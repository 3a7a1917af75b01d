"""What a player makes of the bytes."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np

from gpu_worker.audio import Encoding, Samples

_RAW_NAMES = {"pcm": "s16le", "mulaw": "mulaw", "alaw": "alaw"}


def decode(data: bytes, encoding: Encoding) -> tuple[Samples, int]:
    """The samples and their rate. As a player knows from Content-Type, it is told that bytes are AAC (in one
    or two frames alone they could be anything), and the rate of formats without a header."""
    options: dict[str, Any] = {"format": "aac"} if encoding.format == "aac" else {}
    if encoding.format in _RAW_NAMES:
        options = {
            "format": _RAW_NAMES[encoding.format],
            "options": {"sample_rate": str(encoding.sample_rate), "ch_layout": "mono"},
        }
    with av.open(io.BytesIO(data), **options) as container:
        stream = container.streams.audio[0]
        chunks = [_floats(frame) for frame in container.decode(stream)]
        return np.concatenate(chunks), stream.rate


def _floats(frame: av.AudioFrame) -> Samples:
    values = frame.to_ndarray()[0]
    return (values / 32768 if values.dtype == np.int16 else values).astype(np.float32)


def shift_between(source: Samples, decoded: Samples) -> int:
    """By how many samples `decoded` comes later, found by correlation."""
    size = 1 << (len(source) + len(decoded)).bit_length()
    spectrum = np.conj(np.fft.rfft(source, size)) * np.fft.rfft(decoded, size)
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size


def likeness(source: Samples, decoded: Samples) -> tuple[float, float]:
    """Correlation and difference in level, in dB, over what both have."""
    count = min(len(source), len(decoded))
    first, second = source[:count].astype(float), decoded[:count].astype(float)
    energies = float(first @ first), float(second @ second)
    return float(first @ second) / (energies[0] * energies[1]) ** 0.5, 10 * np.log10(
        energies[1] / energies[0]
    )
