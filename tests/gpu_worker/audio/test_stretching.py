"""Speech at another pace: its length, its pitch, no seams."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_worker.audio import Samples, Stretcher, stretch

RATE = 24_000
SPEEDS = (0.25, 0.4, 0.5, 0.8, 1.25, 2.0, 3.0, 4.0)


def tone(seconds: float) -> Samples:
    return (0.3 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def fundamental_hz(samples: Samples) -> float:
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
    return float(np.argmax(spectrum)) * RATE / size


def loudness(samples: Samples, step: int) -> Samples:
    count = len(samples) // step
    return np.sqrt(np.mean(np.square(samples[: count * step].reshape(count, step)), axis=1))


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("seconds", [0.3, 1.0, 5.0])
def test_the_length_is_exact_and_the_pitch_stays(speed: float, seconds: float) -> None:
    stretched = stretch(tone(seconds), RATE, speed)
    assert len(stretched) == round(seconds * RATE / speed)
    middle = stretched[len(stretched) // 10 : -len(stretched) // 10]
    assert fundamental_hz(middle) == pytest.approx(220, rel=0.01)


@pytest.mark.parametrize("speed", SPEEDS)
def test_there_are_no_clicks_and_no_dips(speed: float) -> None:
    source = tone(2)
    stretched = stretch(source, RATE, speed)
    assert np.abs(np.diff(stretched)).max() < 1.05 * np.abs(np.diff(source)).max()
    middle = loudness(stretched, 240)[5:-20]
    assert middle.min() > 0.9 * middle.max()


@pytest.mark.parametrize("speed", SPEEDS)
def test_speech_keeps_its_course_and_its_level(speed: float, speech: Samples) -> None:
    source = speech[: 6 * RATE]
    stretched = stretch(source, RATE, speed)
    courses = loudness(source, 960), loudness(stretched, round(960 / speed))
    count = min(map(len, courses))
    assert np.corrcoef(courses[0][:count], courses[1][:count])[0, 1] > 0.75
    assert np.std(stretched) == pytest.approx(np.std(source), rel=0.1)


@pytest.mark.parametrize("speed", [0.4, 1.3, 3.0])
def test_chunks_do_not_change_what_comes_out(speed: float, speech: Samples) -> None:
    source = speech[: 3 * RATE]
    for step in (333, 2400, 50_000):
        stretcher = Stretcher(RATE, speed)
        parts = [stretcher.feed(source[at : at + step]) for at in range(0, len(source), step)]
        assert np.array_equal(np.concatenate([*parts, stretcher.finish()]), stretch(source, RATE, speed))


def test_it_holds_back_little(speech: Samples) -> None:
    for speed in SPEEDS:
        stretcher, given = Stretcher(RATE, speed), 0
        for at in range(0, 3 * RATE, 2400):
            given += len(stretcher.feed(speech[at : at + 2400]))
            assert (at + 2400) - given * speed <= 0.3 * RATE


def test_the_usual_pace_passes_through(speech: Samples) -> None:
    assert np.array_equal(stretch(speech, RATE, 1.0), speech)


def test_nothing_stays_nothing() -> None:
    assert len(stretch(np.zeros(0, np.float32), RATE, 2.0)) == 0


@pytest.mark.parametrize("speed", [0.2, 4.1, float("nan")])
def test_other_speeds_are_refused(speed: float) -> None:
    with pytest.raises(ValueError, match=r"from 0\.25 to 4\.0"):
        Stretcher(RATE, speed)
