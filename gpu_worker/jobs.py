"""A request on its way: made on the event loop, worked on by engine threads, read on the loop again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Chunk, Utterance, Word
from gpu_worker.errors import WorkerError
from gpu_worker.ordering import Script
from gpu_worker.protocol import ErrorCode
from gpu_worker.takes import Take, better
from gpu_worker.text import Piece

# What is made ahead of a reader before others go first.
MAX_UNREAD_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Audio:
    """A chunk of this piece, as the engine made it."""

    piece: Piece
    samples: Samples
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class PieceSpoken:
    """All chunks of this piece have come."""

    piece: Piece


@dataclass(frozen=True, slots=True)
class Spoken:
    """All pieces have come."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing more comes."""

    error: WorkerError


Event = Audio | PieceSpoken | Spoken | Failed


class Job:
    """The pieces of one request and the events that they turn into.

    The engine's side (`utterance`, `add`, `finish_take`, `fail_from_engine`, `take_events`,
    `engine_seconds`) is used by one thread at a time, the one whose turn it is; everything else belongs
    to the event loop that made the job.
    """

    def __init__(
        self,
        request_id: str,
        tenant: str,
        script: Script,
        utterance: Callable[[Piece, int, int], Utterance],
        *,
        sample_rate: int,
        is_stream: bool,
        caught_up: Callable[[Job], None],
    ) -> None:
        """`utterance` makes the engine's order from a piece, its number and the attempt's number."""
        self.request_id = request_id
        self.tenant = tenant
        self.pieces = script.pieces
        self.word_stops = script.word_stops
        self.received_at = time.monotonic()
        self.begun_at: float | None = None
        self.engine_seconds = 0.0
        self.failure: WorkerError | None = None
        self.remade: Counter[str] = Counter()
        self.interrupt: Callable[[], None] | None = None
        self._utterance = utterance
        self._sample_rate = sample_rate
        self._is_stream = is_stream
        self._caught_up = caught_up
        self._next = 0
        self._characters_left = sum(len(piece.text) for piece in script.pieces)
        self._take: Take | None = None
        self._rejected: Take | None = None
        self._pending: list[Event] = []
        self._heard_from: float | None = None
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        # Two counters with one writer each, so that neither thread needs a lock to count.
        self._made_samples = 0
        self._read_samples = 0

    @property
    def has_begun(self) -> bool:
        """See Turns."""
        return self.begun_at is not None

    @property
    def characters_left(self) -> int:
        """See Turns."""
        return 0 if self.failure else self._characters_left

    @property
    def is_ahead(self) -> bool:
        """See Turns."""
        return self._made_samples - self._read_samples > MAX_UNREAD_SECONDS * self._sample_rate

    @property
    def runs_dry_at(self) -> float | None:
        """See Turns."""
        if not self._is_stream or self._heard_from is None:
            return None
        return self._heard_from + self._made_samples / self._sample_rate

    @property
    def queue_ms(self) -> int:
        """How long it waited for an engine; counts on while it still waits."""
        begun_at = self.begun_at if self.begun_at is not None else time.monotonic()
        return round(1000 * (begun_at - self.received_at))

    @property
    def engine_ms(self) -> int:
        """What engines spent on it so far."""
        return round(1000 * self.engine_seconds)

    def utterance(self) -> Utterance:
        """Begins a take of the piece that is due."""
        if self.begun_at is None:
            self.begun_at = time.monotonic()
        utterance = self._utterance(self.pieces[self._next], self._next, 1 if self._rejected else 0)
        # A listener waits for the first piece: it goes out as it is made.
        holds = not self._is_stream or self._next > 0
        self._take = Take(utterance.text, utterance.speed, self._sample_rate, holds=holds)
        return utterance if holds else replace(utterance, goes_out_early=True)

    def add(self, chunk: Chunk) -> bool:
        """Takes a chunk in; False if the take is not worth to be gone on with."""
        take = self._current()
        take.add(chunk)
        self._release(take.released())
        return not (take.is_hopeless or (take.is_bad and self._may_remake(take)))

    def finish_take(self) -> None:
        """Closes the piece that was due, and after the last one the job; or has the piece made again."""
        take = self._current()
        self._take = None
        verdict = take.finish()
        if verdict.reason and self._may_remake(take):
            self._rejected = take
            self.remade[verdict.reason] += 1
            return
        if self._rejected:
            take, self._rejected = better(self._rejected, take), None
        if take.is_unusable:
            self.fail_from_engine(engine_failed())
            return
        self._release(take.rest())
        piece = self.pieces[self._next]
        self._next += 1
        self._characters_left -= len(piece.text)
        self._pending.append(PieceSpoken(piece))
        if self._next == len(self.pieces):
            self._pending.append(Spoken())

    def fail_from_engine(self, error: WorkerError) -> None:
        """Ends the job from an engine's thread, after what was made before."""
        self._characters_left = 0
        self._pending.append(Failed(error))

    def take_events(self) -> list[Event]:
        """What became of it since the last call, to be handed to `deliver`."""
        events, self._pending = self._pending, []
        return events

    def deliver(self, events: Iterable[Event]) -> None:
        """Puts events before the reader, on the event loop."""
        self._events.extend(events)
        self._news.set()

    def fail(self, error: WorkerError) -> None:
        """Ends the job; the first reason stays. Its reader hears of it before what is still unread."""
        if self.failure is None:
            self.failure = error
            self._news.set()
            if interrupt := self.interrupt:
                interrupt()

    async def next_events(self) -> list[Event]:
        """All events that are there, at least one. Raises the WorkerError that ended the job."""
        while not self._events and not self.failure:
            self._news.clear()
            await self._news.wait()
        if self.failure is None and isinstance(self._events[0], Failed):
            self.failure = self._events[0].error
        if self.failure:
            self._events.clear()
            raise self.failure
        events: list[Event] = []
        while self._events and not isinstance(self._events[0], Failed):
            events.append(self._events.popleft())
        self._count_read(events)
        return events

    def _may_remake(self, take: Take) -> bool:
        return self._rejected is None and not take.has_gone_out

    def _current(self) -> Take:
        assert self._take is not None  # noqa: S101 - a turn begins with `utterance`
        return self._take

    def _release(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            if self._heard_from is None:
                self._heard_from = time.monotonic()
            self._made_samples += len(chunk.samples)
            self._pending.append(Audio(self.pieces[self._next], chunk.samples, chunk.words))

    def _count_read(self, events: Iterable[Event]) -> None:
        self._read_samples += sum(len(event.samples) for event in events if isinstance(event, Audio))
        if not self.is_ahead:
            self._caught_up(self)


class Deliveries:
    """Events on their way from engine threads to the readers on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def post(self, jobs: Iterable[Job]) -> None:
        """Takes the news of these jobs, which the calling thread works on; the loop is woken once for all."""
        if news := [(job, events) for job in jobs if (events := job.take_events())]:
            self._loop.call_soon_threadsafe(_deliver, news)


def _deliver(news: list[tuple[Job, list[Event]]]) -> None:
    for job, events in news:
        job.deliver(events)


def engine_failed() -> WorkerError:
    """The failure of one request that another attempt may not meet with."""
    return WorkerError(ErrorCode.ENGINE_FAILED, "The engine failed on this text; it may pass again.")
