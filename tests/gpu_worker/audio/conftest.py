"""Speech to work on: what the CPU engine makes of a text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Chunk, Done, Utterance
from gpu_worker.engines.cpu import CpuEngine

Speak = Callable[..., Samples]

TEXT = (
    "Good morning, everyone. Today we look at the weather in the north, which is known for its storms. "
    "The quick brown fox jumps over the lazy dog, and then it sleeps until the rain has stopped."
)


@pytest.fixture(scope="session")
def speak() -> Speak:
    """`speak(text, speed=1.0, seed=1)` gives all samples of a text as the engine makes them, at 24 kHz."""
    engine = CpuEngine.load()

    def samples_of(text: str, *, speed: float = 1.0, seed: int = 1) -> Samples:
        offers = engine.capabilities
        session = engine.open_session()
        session.join(
            Utterance(
                text=text,
                model=offers.models[0],
                voice=offers.voices[0],
                language="en",
                speed=speed,
                seed=seed,
            )
        )
        chunks: list[Samples] = []
        while True:
            for _slot, outcome in session.step():
                if isinstance(outcome, Chunk):
                    chunks.append(outcome.samples)
                else:
                    assert isinstance(outcome, Done)
                    return np.concatenate(chunks)

    return samples_of


@pytest.fixture(scope="session")
def speech(speak: Speak) -> Samples:
    """Eleven seconds and more, beginning 50 ms before the first word."""
    return speak(TEXT)[6000:]
