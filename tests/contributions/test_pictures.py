"""Waveforms and spectrograms as files that a browser shows."""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np
import pytest

from apps.contributions import pictures
from tests.contributions.sounds import flac


def pixels(png: bytes) -> np.ndarray:
    """Rows by columns by colours; reads what `pictures` writes."""
    width, height = struct.unpack(">II", png[16:24])
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + 3 * width)
    return lines[:, 1:].reshape(height, width, 3)


@pytest.mark.parametrize("hertz", [1_000, 6_000, 11_000])
def test_a_tone_is_a_line_at_its_height(hertz: int) -> None:
    picture = pixels(pictures.spectrogram(flac(hertz))).astype(int).sum(axis=2)
    assert picture.shape == (pictures.ROWS, pictures.COLUMNS)
    brightest = picture[:, pictures.COLUMNS // 2].argmax()
    expected = pictures.ROWS * (1 - hertz / pictures.TOP_HERTZ)
    assert abs(brightest - expected) < 3


def test_a_waveform_is_as_high_as_the_clip_is_loud() -> None:
    def highest(level: float) -> float:
        svg = pictures.waveform(flac(level=level)).decode()
        return max(float(height) for height in re.findall(r'height="([0-9.]+)" rx', svg))

    assert highest(0.5) == pytest.approx(pictures.BAR_HEIGHT / 2, abs=0.6)
    assert highest(1.0) == pytest.approx(pictures.BAR_HEIGHT, abs=0.6)
    assert highest(0.0) == 2.0


@pytest.mark.parametrize("seconds", [0.001, 0.01, 30.0])
def test_clips_of_any_length(seconds: float) -> None:
    assert pixels(pictures.spectrogram(flac(seconds=seconds))).shape[0] == pictures.ROWS
    assert pictures.waveform(flac(seconds=seconds)).count(b"<rect") == pictures.BARS
