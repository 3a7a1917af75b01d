"""Good speech of any kind passes; what is wrong is named."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_worker.audio import PieceCheck, Samples, Verdict, check
from tests.gpu_worker.audio.conftest import Speak

RATE = 24_000
LONG = (
    "She said that she would come if the weather was good and the roads were clear, and that she would bring "
    "along what was left of the cheese, six spoons of fresh snow peas, and maybe a snack for her brother, "
    "who had been waiting in the hall since noon without a word to anybody."
)
VARIED = (
    "Hi!",
    "A.",
    "OK.",
    "No. Yes? Go!",
    "Shh.",
    "Mm-hmm.",
    "psst",
    "WWW.",
    "NASA and the FBI met the CEO of IBM.",
    "STOP SHOUTING AT ME RIGHT NOW!",
    "WXYZ WWW WWF.",
    "777777777777",
    "$9,999,999.99",
    "+1 (555) 123-4567",
    "one hundred and twenty-three million four hundred and fifty-six thousand seven hundred and eighty-nine",
    "https://example.com/a/b?c=d",
    "the the the the the the the the the",
    "I am. I was. I will be.",
    "Wait... what... no...",
    "Llanfairpwllgwyngyll.",
    LONG,
)


@pytest.fixture(scope="module")
def spoken(speak: Speak) -> Samples:
    return speak(LONG)


def verdict_on(samples: Samples, text: str = LONG) -> str | None:
    return check(samples.astype(np.float32), sample_rate=RATE, text=text, speed=1.0).reason


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_good_speech_passes(speed: float, speak: Speak) -> None:
    for seed, text in enumerate(VARIED):
        samples = speak(text, speed=speed, seed=seed)
        assert check(samples, sample_rate=RATE, text=text, speed=speed) == Verdict(None), text


def test_a_tone_of_usual_length_passes() -> None:
    for text in VARIED:
        tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(len(text) * RATE // 15) / RATE)
        assert verdict_on(tone, text) is None, text


def test_speech_that_breaks_off_is_too_short(spoken: Samples) -> None:
    assert verdict_on(spoken[: len(spoken) // 3]) == "too_short"


@pytest.mark.parametrize("text", ["x" * 280, "asdfghjkl" * 31, "é" * 280])
def test_words_without_end_may_be_short(text: str, spoken: Samples) -> None:
    assert verdict_on(spoken[: 2 * RATE], text) is None
    assert verdict_on(spoken[RATE : RATE + RATE // 5], text) == "too_short"


def test_speech_that_does_not_end_is_too_long(spoken: Samples) -> None:
    assert verdict_on(np.tile(spoken, 5)) == "too_long"
    assert verdict_on(spoken, "Hi!") == "too_long"


def test_silence_is_found(spoken: Samples) -> None:
    assert verdict_on(np.zeros(5 * RATE)) == "silent"
    assert verdict_on(np.zeros(0)) == "silent"
    halves = spoken[: len(spoken) // 2], spoken[len(spoken) // 2 :]
    assert verdict_on(np.concatenate([halves[0], np.zeros(5 * RATE // 2), halves[1]])) == "silent"
    assert verdict_on(np.concatenate([halves[0], np.zeros(RATE), halves[1]])) is None


def test_silence_around_speech_is_no_fault(spoken: Samples) -> None:
    assert verdict_on(np.concatenate([np.zeros(3 * RATE), spoken, np.zeros(3 * RATE)])) is None


def test_clipping_is_found(spoken: Samples) -> None:
    assert verdict_on(np.clip(10 * spoken, -1, 1)) == "clipped"
    assert verdict_on(spoken / np.abs(spoken).max()) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_found(value: float, spoken: Samples) -> None:
    samples = spoken.copy()
    samples[12_345] = value
    assert verdict_on(samples) == "not_finite"


@pytest.mark.parametrize("step", [333, 2400, 24_000])
def test_chunks_do_not_change_the_verdict(step: int, spoken: Samples) -> None:
    for samples in (spoken, spoken[: len(spoken) // 3], np.clip(10 * spoken, -1, 1), np.tile(spoken, 5)):
        piece = PieceCheck(sample_rate=RATE, text=LONG, speed=1.0)
        for at in range(0, len(samples), step):
            piece.feed(samples[at : at + step])
        assert piece.finish().reason == verdict_on(samples)


def test_endless_speech_is_told_before_it_ends(spoken: Samples) -> None:
    piece = PieceCheck(sample_rate=RATE, text="Hi!", speed=1.0)
    reasons = [piece.feed(spoken[at : at + 2400]).reason for at in range(0, len(spoken), 2400)]
    assert reasons[0] is None
    assert "too_long" in reasons[: len(reasons) // 2]
    assert reasons[-1] == "too_long"
