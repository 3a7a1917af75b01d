"""Samples to bytes."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np

from gpu_worker.audio import duration_ms, to_pcm16, wav_header


def test_a_whole_header_is_read_by_others() -> None:
    pcm = to_pcm16(np.zeros(2400, np.float32))
    with wave.open(io.BytesIO(wav_header(24_000, len(pcm)) + pcm)) as file:
        assert file.getparams()[:4] == (1, 2, 24_000, 2400)


def test_a_streamed_header_leaves_its_sizes_open() -> None:
    header = wav_header(24_000, None)
    assert len(header) == 44
    assert struct.unpack_from("<I", header, 4) == struct.unpack_from("<I", header, 40) == (0xFFFFFFFF,)


def test_samples_are_scaled_rounded_and_clipped() -> None:
    samples = np.array([0, 1, -1, 2, -2, 0.5, np.nan, np.inf, -np.inf], np.float32)
    pcm = np.frombuffer(to_pcm16(samples), "<i2")
    assert pcm.tolist() == [0, 32767, -32767, 32767, -32767, 16384, 0, 32767, -32767]


def test_durations_round_down() -> None:
    assert duration_ms(48_000, 24_000) == 1000
    assert duration_ms(47_999, 24_000) == 999
