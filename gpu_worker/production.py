"""Events of a job to bytes, beside the event loop where it takes longer than a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, TypeVar

from gpu_worker.audio import Encoder, Encoding, WholeEncoder
from gpu_worker.jobs import Audio, Event
from gpu_worker.pacing import turn
from gpu_worker.protocol import Mark
from gpu_worker.rendering import Renderer

# What may be done on the event loop: about 2 ms of work.
_INLINE_SECONDS: Final = 5.0
_CHEAP_FORMATS: Final = frozenset({"wav", "pcm", "mulaw", "alaw"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Produced:
    """Bytes that can be sent, and the marks that are due after them."""

    data: bytes
    marks: list[Mark]
    is_last: bool


class _Workshop:
    """Runs small work at once and other work in a pool; the caller awaits it, so all stays in order."""

    def __init__(self, renderer: Renderer, encoding: Encoding, pool: Executor) -> None:
        is_cheap = (
            encoding.format in _CHEAP_FORMATS
            and encoding.sample_rate == renderer.sample_rate
            and not renderer.stretches
        )
        self._pool = pool
        self._inline_samples = _INLINE_SECONDS * renderer.sample_rate if is_cheap else 0

    async def run(self, events: list[Event], work: Callable[[list[Event]], T]) -> T:
        samples = sum(len(event.samples) for event in events if isinstance(event, Audio))
        if samples <= self._inline_samples:
            await turn()
            return work(events)
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, events)


class Producer:
    """A stream in the asked format."""

    def __init__(self, renderer: Renderer, encoding: Encoding, pool: Executor) -> None:
        self._renderer = renderer
        self._encoder = Encoder(encoding, renderer.sample_rate)
        self._workshop = _Workshop(renderer, encoding, pool)

    @property
    def audio_ms(self) -> int:
        """How long what was taken so far plays."""
        return self._renderer.audio_ms

    @property
    def has_speech(self) -> bool:
        """Whether there was more than silence so far."""
        return self._renderer.has_speech

    async def take(self, events: list[Event]) -> Produced:
        """What these events turn into, together with what was held back before."""
        return await self._workshop.run(events, self._produce)

    def _produce(self, events: list[Event]) -> Produced:
        rendered = self._renderer.render(events)
        parts = [self._encoder.feed(samples) for samples in rendered.samples]
        if rendered.is_last:
            parts.append(self._encoder.finish())
        return Produced(b"".join(parts), rendered.marks, rendered.is_last)


class WholeProducer:
    """A file with exact headers, encoded as it is made; what it is made of is not kept."""

    def __init__(self, renderer: Renderer, encoding: Encoding, pool: Executor) -> None:
        self._renderer = renderer
        self._encoder = WholeEncoder(encoding, renderer.sample_rate)
        self._workshop = _Workshop(renderer, encoding, pool)

    @property
    def audio_ms(self) -> int:
        """See Producer."""
        return self._renderer.audio_ms

    @property
    def has_speech(self) -> bool:
        """See Producer."""
        return self._renderer.has_speech

    async def take(self, events: list[Event]) -> bool:
        """Takes events in; true after the last."""
        return await self._workshop.run(events, self._encode)

    def finish(self) -> list[bytes]:
        """The file in parts."""
        return self._encoder.finish()

    def _encode(self, events: list[Event]) -> bool:
        rendered = self._renderer.render(events)
        for samples in rendered.samples:
            self._encoder.feed(samples)
        return rendered.is_last
