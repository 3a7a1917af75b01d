"""What the rest of the worker knows of an engine."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from gpu_worker.audio import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine offers. The first model and the first voice are its defaults.

    `languages` are primary tags (`en`); `features` are of clone, tags, timestamps; `speeds` are the
    slowest and fastest pace it makes itself; `max_batch` is how many pieces it works on at once.
    """

    engine: str
    models: tuple[str, ...]
    voices: tuple[str, ...]
    languages: tuple[str, ...]
    features: frozenset[str]
    sample_rate: int
    speeds: tuple[float, float]
    max_batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One piece to speak. `piece` is its number in its request, so that each has noise of its own.

    None leaves a setting to the engine; engines pass over settings that they lack.
    """

    text: str
    piece: int
    model: str
    voice: str
    language: str
    speed: float
    seed: int | None
    exaggeration: float | None
    cfg_weight: float | None
    temperature: float | None
    top_p: float | None
    min_p: float | None
    repetition_penalty: float | None


class Engine(Protocol):
    """Speaks pieces. Its methods are called by several threads at once, never by the event loop."""

    @property
    def capabilities(self) -> Capabilities:
        """What it offers; does not change while it runs."""
        ...

    def can_speak(self, text: str) -> bool:
        """Whether it has sounds for any of `text`. Quick enough for the event loop."""
        ...

    def synthesize(self, utterance: Utterance) -> Generator[Samples, None, None]:
        """The samples of one piece, float32 mono in [-1, 1], chunk by chunk as they are made.

        Closing the iterator between two chunks stops the work. A text without sounds yields nothing.
        """
        ...


class EngineLoadError(RuntimeError):
    """The engine cannot be used on this machine; its words say why."""
