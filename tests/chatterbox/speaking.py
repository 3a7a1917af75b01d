"""Utterances spoken by a session, to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Chunk, Done, Failed, Utterance
from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from gpu_worker.engines.chatterbox.session import ChatterboxSession

TEXT = "Hello there, how are you?"


def utterance(text: str = TEXT, *, seed: int = 7, **fields: Any) -> Utterance:
    values: dict[str, Any] = {"model": "m", "voice": "default", "language": "en", "speed": 1.0, "seed": seed}
    return Utterance(text=text, **values | fields)


@dataclass
class Heard:
    """What came of an utterance, and the tokens that were drawn for it."""

    speech: Any
    chunks: list[Samples] = field(default_factory=list)
    is_done: bool = False
    error: Exception | None = None

    @property
    def tokens(self) -> list[int]:
        """Those drawn so far."""
        return list(self.speech.row.tokens) if self.speech.row else []

    @property
    def samples(self) -> Samples:
        return np.concatenate(self.chunks)


class Listener:
    """Drives a session and keeps what it says."""

    def __init__(self, engine: ChatterboxEngine, capacity: int | None = None) -> None:
        self.session = ChatterboxSession(engine._model, capacity or engine.capabilities.max_batch)
        self.heard: dict[int, Heard] = {}

    def join(self, said: Utterance) -> int:
        slot = self.session.join(said)
        self.heard[slot] = Heard(self.session._speeches[slot])
        return slot

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            for slot, outcome in self.session.step():
                heard = self.heard[slot]
                match outcome:
                    case Chunk():
                        heard.chunks.append(outcome.samples)
                    case Done():
                        heard.is_done = True
                    case Failed():
                        heard.error = outcome.error

    def finish(self) -> None:
        """Until nobody speaks any more."""
        while self.session._speeches:
            self.step()

    def hear(self, *said: Utterance) -> list[Heard]:
        """All of them at once, each to its end."""
        slots = [self.join(one) for one in said]
        self.finish()
        return [self.heard[slot] for slot in slots]


def hear_alone(engine: ChatterboxEngine, said: Utterance) -> Heard:
    return Listener(engine).hear(said)[0]


def same(first: Heard, second: Heard, *, within: float = 1e-3) -> bool:
    """The same tokens, and the same samples up to what adding in another order makes of them."""
    if first.tokens != second.tokens or len(first.samples) != len(second.samples):
        return False
    return float(np.abs(first.samples - second.samples).max()) < within
