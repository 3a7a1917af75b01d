"""Rates changed without drift, seams or aliases."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_worker.audio import Samples
from gpu_worker.audio.resampling import Resampler

SOURCE_RATE = 24_000
RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000)


def resample(samples: Samples, rate: int, step: int = 2400) -> Samples:
    resampler = Resampler(SOURCE_RATE, rate)
    parts = [resampler.feed(samples[at : at + step]) for at in range(0, len(samples), step)]
    return np.concatenate([*parts, resampler.finish()])


def sine(frequency_hz: float, rate: int, count: int) -> Samples:
    return (0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(count) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("count", [1, 7, 1_001, 24_000, 70_001])
def test_the_length_is_exact(rate: int, count: int) -> None:
    assert len(resample(sine(440, SOURCE_RATE, count), rate)) == round(count * rate / SOURCE_RATE)


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate != SOURCE_RATE])
def test_a_tone_stays_the_same_tone(rate: int) -> None:
    resampled = resample(sine(1_000, SOURCE_RATE, 3 * SOURCE_RATE), rate, step=577)
    error = resampled - sine(1_000, rate, 3 * rate)
    inside = slice(rate // 10, -rate // 10)
    assert 20 * np.log10(0.5 / np.abs(error[inside]).max()) > 80


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050])
def test_what_a_rate_cannot_hold_is_taken_out(rate: int) -> None:
    too_high = sine(0.55 * rate, SOURCE_RATE, SOURCE_RATE)
    inside = slice(rate // 10, -rate // 10)
    assert np.abs(resample(too_high, rate)[inside]).max() < 0.5 * 10 ** (-80 / 20)


@pytest.mark.parametrize("rate", RATES)
def test_chunks_do_not_change_what_comes_out(rate: int, speech: Samples) -> None:
    whole = resample(speech[:50_000], rate, step=50_000)
    assert np.array_equal(resample(speech[:50_000], rate, step=101), whole)


def test_nothing_stays_nothing() -> None:
    assert len(resample(np.zeros(0, np.float32), 8_000)) == 0
