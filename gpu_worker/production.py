"""Events of a job to bytes, in slices, beside the event loop where one takes longer than a moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from gpu_worker.audio import Encoder, Encoding, WholeEncoder
from gpu_worker.fair_pool import FairPool
from gpu_worker.jobs import Event, Job
from gpu_worker.pacing import turn
from gpu_worker.protocol import Mark
from gpu_worker.rendering import Rendered, Renderer

# What is encoded before others have their turn: about 12 ms of work at most.
_SLICE_SECONDS: Final = 2.0
# A slice in one of these is 0.1 ms of work.
_CHEAP_FORMATS: Final = frozenset({"wav", "pcm", "mulaw", "alaw"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Produced:
    """Bytes that can be sent, and the marks that are due after them."""

    data: bytes
    marks: list[Mark]
    is_last: bool


class _Production:
    """A job's audio, slice by slice: cheap work is done at once, other work in turn with other tenants'."""

    def __init__(self, job: Job, renderer: Renderer, encoding: Encoding, pool: FairPool) -> None:
        self._job = job
        self._renderer = renderer
        self._pool = pool
        self._is_cheap = (
            encoding.format in _CHEAP_FORMATS
            and encoding.sample_rate == renderer.sample_rate
            and not renderer.stretches
        )
        self._longest = round(_SLICE_SECONDS * renderer.sample_rate)
        self._waiting: deque[Rendered] = deque()
        self._samples = 0

    @property
    def audio_ms(self) -> int:
        """How long what was produced so far plays."""
        return self._samples * 1000 // self._renderer.sample_rate

    @property
    def has_speech(self) -> bool:
        """Whether there was more than silence so far."""
        return self._renderer.has_speech

    async def _next(self, use: Callable[[Rendered], T]) -> T:
        """What `use` makes of the next slice, which may have no samples. Raises the job's failure."""
        events = [] if self._waiting else await self._job.next_events()
        if self._is_cheap:
            await turn()
            return self._use_next(events, use)
        return await self._pool.run(self._job.tenant, partial(self._use_next, events, use))

    def _use_next(self, events: list[Event], use: Callable[[Rendered], T]) -> T:
        if self._job.failure:
            raise self._job.failure
        if not self._waiting:
            self._waiting.extend(self._renderer.render(events).slices(self._longest))
        rendered = self._waiting.popleft()
        self._samples += sum(len(samples) for samples in rendered.samples)
        return use(rendered)


class Producer(_Production):
    """A stream in the asked format."""

    def __init__(self, job: Job, renderer: Renderer, encoding: Encoding, pool: FairPool) -> None:
        super().__init__(job, renderer, encoding, pool)
        self._encoder = Encoder(encoding, renderer.sample_rate)

    async def next(self) -> Produced:
        """The next slice, 2 s of audio at most. Raises the WorkerError that ended the job."""
        return await self._next(self._produce)

    def _produce(self, rendered: Rendered) -> Produced:
        parts = [self._encoder.feed(samples) for samples in rendered.samples]
        if rendered.is_last:
            parts.append(self._encoder.finish())
        return Produced(b"".join(parts), rendered.marks, rendered.is_last)


class WholeProducer(_Production):
    """A file with exact headers, encoded as it is made; what it is made of is not kept."""

    def __init__(self, job: Job, renderer: Renderer, encoding: Encoding, pool: FairPool) -> None:
        super().__init__(job, renderer, encoding, pool)
        self._encoder = WholeEncoder(encoding, renderer.sample_rate)

    async def next(self) -> bool:
        """Encodes the next slice, 2 s of audio at most; true after the last. Raises as Producer's does."""
        return await self._next(self._encode)

    def finish(self) -> list[bytes]:
        """The file in parts."""
        return self._encoder.finish()

    def _encode(self, rendered: Rendered) -> bool:
        for samples in rendered.samples:
            self._encoder.feed(samples)
        return rendered.is_last
