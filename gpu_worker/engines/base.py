"""What the rest of the worker knows of an engine: sessions of slots that pieces join and leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol, runtime_checkable

from gpu_worker.audio import Samples
from gpu_worker.references.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine offers. The first model and the first voice are its defaults.

    `languages` are primary tags (`en`); `features` are of clone, tags, timestamps; `speeds` are the
    slowest and fastest pace it makes itself; `max_batch` is how many slots a session has.
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
    """One piece to speak. Everything that shapes its sound is in here: engines keep nothing of a request.

    `seed` is this piece's own; with it the audio is the same whatever else is in the batch. `reference` is
    the recording of the voice, where `voice` is the SHA-256 of one. With `goes_out_early` a listener waits
    for it, so that chunks are worth their price. One that `is_repeatable` sounds the same, joints of chunks
    included, whatever else is at work: its caller chose the seed. None leaves a setting to the engine;
    engines pass over settings that they lack.
    """

    text: str
    model: str
    voice: str
    language: str
    speed: float
    seed: int
    reference: Reference | None = None
    goes_out_early: bool = False
    is_repeatable: bool = False
    exaggeration: float | None = None
    cfg_weight: float | None = None
    temperature: float | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """When a word is spoken: its span in the utterance's text, its time in samples from the piece's first."""

    start: int
    stop: int
    first_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples as they are made, float32 mono in [-1, 1], and the words that end within them, where known."""

    samples: Samples
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """All chunks of the utterance have come; its slot is free. Without any, it had no sounds."""


@dataclass(frozen=True, slots=True)
class Failed:
    """This utterance alone failed; its slot is free."""

    error: Exception


Outcome = Chunk | Done | Failed


class Session(Protocol):
    """A running batch. One thread uses it; `interrupt` alone may be called from another."""

    @property
    def capacity(self) -> int:
        """How many utterances it works on at once."""
        ...

    def join(self, utterance: Utterance) -> int:
        """Gives an utterance a slot: a number that this session never gives again.

        An error that it raises is that utterance's alone.
        """
        ...

    def step(self) -> list[tuple[int, Outcome]]:
        """Works on all utterances for a moment, such as one token or one sentence each.

        Raises DevicePoisonedError where the process must not go on; any other error ends the session.
        """
        ...

    def leave(self, slot: int) -> None:
        """Frees a slot whose utterance is no longer wanted."""
        ...

    def interrupt(self, slot: int) -> None:
        """Lets a step that works on this slot return soon; `leave` follows. Does nothing for other slots."""
        ...

    def close(self) -> None:
        """Frees what the session holds."""
        ...


class Engine(Protocol):
    """Opens sessions. Its methods are called by several threads at once."""

    @property
    def capabilities(self) -> Capabilities:
        """What it offers; does not change while it runs."""
        ...

    def can_speak(self, text: str) -> bool:
        """Whether it has sounds for any of `text`. Quick enough for the event loop."""
        ...

    def open_session(self) -> Session:
        """A batch of its own, with nothing in it."""
        ...


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """What an engine has done since it was loaded: seconds by stage, tokens, voices made and found ready."""

    stage_seconds: Mapping[str, float]
    tokens: int
    voices_made: int
    voices_found: int


@runtime_checkable
class Measured(Protocol):
    """An engine that keeps figures. Safe to ask from any thread."""

    def figures(self) -> EngineFigures:
        """Those of this moment."""
        ...


@runtime_checkable
class Learner(Protocol):
    """An engine to which a cloned voice is work before it speaks with it."""

    def learn(self, reference: Reference) -> None:
        """Does that work, once a recording, beside the sessions that are open. Safe in any thread.

        Sessions do it themselves where it was not done before.
        """
        ...


class EngineLoadError(RuntimeError):
    """The engine cannot be used on this machine; its words say why."""


class DevicePoisonedError(RuntimeError):
    """The device answers nothing any more in this process, as after a CUDA assert: only a new one helps."""


def derived_seed(seed: int, piece: int, attempt: int) -> int:
    """The seed, below 2**63, of one attempt at one piece: each has noise of its own, always the same."""
    digest = blake2b(b"%d %d %d" % (seed, piece, attempt), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
