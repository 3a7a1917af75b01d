"""Speech of the engine that comes with pip: nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hibari import SAMPLE_RATE, Hibari

from tests.contributions.quality.clips import Spoken, noise

LIGHTHOUSE = "The old lighthouse keeper climbed the narrow stairs every evening before sunset."
GULLS = "She counted seven white gulls on the harbour wall and smiled."
_MARGIN_SECONDS = 0.3
_ROOM_DECIBELS = -70.0


@pytest.fixture(scope="session")
def say() -> Callable[[str], Spoken]:
    voice = Hibari(voice="heart", threads=1)

    def speak(text: str) -> Spoken:
        samples = np.asarray(voice(text), np.float32)
        margins = [noise(round(_MARGIN_SECONDS * SAMPLE_RATE), _ROOM_DECIBELS, seed) for seed in (1, 2)]
        return Spoken(text, np.concatenate([margins[0], samples, margins[1]]), SAMPLE_RATE)

    return speak


@pytest.fixture(scope="session")
def spoken(say: Callable[[str], Spoken]) -> Spoken:
    return say(LIGHTHOUSE)


@pytest.fixture(scope="session")
def other(say: Callable[[str], Spoken]) -> Spoken:
    return say(GULLS)
