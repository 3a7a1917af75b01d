"""What a clip looks like: its waveform as SVG and its spectrogram as PNG, drawn from the FLAC we made."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import pairwise
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

BARS: Final = 240
BAR_HEIGHT: Final = 64
# Of the spectrogram, in pixels; it is stretched to its place.
COLUMNS: Final = 900
ROWS: Final = 160
TOP_HERTZ: Final = 12_000
_WINDOW: Final = 1024
_FLOOR_DB: Final = 75.0
_COLOUR: Final = "#7b74ee"
# From quiet to loud: night, violet, rose, amber, cream. Each step is lighter than the one before.
_STOPS: Final = np.array(
    [(14, 12, 26), (62, 40, 128), (168, 56, 128), (238, 128, 74), (252, 240, 200)], np.float32
)


def samples_of(flac: bytes) -> tuple[NDArray[np.float32], int]:
    """Mono in ±1, and the rate in Hz. For our own FLAC alone: what contributors send is decoded elsewhere."""
    with av.open(io.BytesIO(flac), mode="r") as container:
        parts = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        rate = int(container.streams.audio[0].rate)
    whole = np.concatenate(parts) if parts else np.zeros(0, np.int16)
    scale = 32768.0 if whole.dtype == np.int16 else 2147483648.0
    return (whole / scale).astype(np.float32), rate


def waveform(flac: bytes) -> bytes:
    """An SVG of bars, each as high as the loudest sample of its part; as loud as the clip is."""
    samples, _ = samples_of(flac)
    edges = np.linspace(0, len(samples), BARS + 1).astype(int)
    peaks = [float(np.abs(samples[start:stop]).max(initial=0.0)) for start, stop in pairwise(edges)]
    middle = BAR_HEIGHT / 2
    bars = "".join(
        f'<rect x="{4 * number + 0.5}" y="{middle - half:.1f}" width="3" height="{2 * half:.1f}" rx="1.5"/>'
        for number, half in enumerate(max(1.0, peak * middle) for peak in peaks)
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {4 * BARS} {BAR_HEIGHT}"'
    return f'{head} preserveAspectRatio="none" fill="{_COLOUR}">{bars}</svg>'.encode()


def spectrogram(flac: bytes) -> bytes:
    """A PNG: time to the right, 0 to 12 kHz upwards, 75 dB from dark to light."""
    samples, rate = samples_of(flac)
    padded = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    starts = np.linspace(0, len(padded) - _WINDOW, COLUMNS).astype(int)
    frames = padded[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW).astype(np.float32)
    powers = np.abs(np.fft.rfft(frames)) ** 2
    powers = powers[:, : max(2, round(TOP_HERTZ / rate * _WINDOW))]
    levels = 10 * np.log10(powers + 1e-10)
    shown = np.clip((levels - levels.max()) / _FLOOR_DB + 1, 0, 1)
    rows = np.linspace(shown.shape[1] - 1, 0, ROWS)
    low = np.floor(rows).astype(int)
    share = (rows - low).astype(np.float32)
    high = np.minimum(low + 1, shown.shape[1] - 1)
    picture = shown[:, low] * (1 - share) + shown[:, high] * share
    return _png(_coloured(picture.T))


def _coloured(shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    places = np.linspace(0, 1, len(_STOPS))
    channels = [np.interp(shares, places, _STOPS[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """`pixels` is rows by columns by red, green and blue."""
    height, width, _ = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
