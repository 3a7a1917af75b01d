"""A request on its way: made on the event loop, worked on by engine threads, read on the loop again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gpu_worker.engines.base import Utterance
from gpu_worker.errors import WorkerError
from gpu_worker.text import Piece

# About 20 s of speech at 24 kHz: what is made ahead of a reader before others go first.
MAX_UNREAD_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Pcm:
    """A chunk of s16le samples."""

    data: bytes


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


Event = Pcm | PieceSpoken | Spoken | Failed


class Job:
    """The pieces of one request and the events that they turn into.

    The engine side (`utterance`, `publish`, `piece_done`, `engine_seconds`) is used by one thread at a
    time, the one whose turn it is; everything else belongs to the event loop that made the job.
    """

    def __init__(
        self,
        request_id: str,
        pieces: Sequence[Piece],
        utterances: Sequence[Utterance],
        caught_up: Callable[[Job], None],
    ) -> None:
        self.request_id = request_id
        self.pieces = pieces
        self.received_at = time.perf_counter()
        self.begun_at: float | None = None
        self.engine_seconds = 0.0
        self.failure: WorkerError | None = None
        self._utterances = utterances
        self._caught_up = caught_up
        self._next = 0
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        # Two counters with one writer each, so that neither thread needs a lock to count.
        self._made_bytes = 0
        self._read_bytes = 0

    @property
    def has_begun(self) -> bool:
        """See Turns."""
        return self.begun_at is not None

    @property
    def pieces_left(self) -> int:
        """See Turns."""
        return 0 if self.failure else len(self._utterances) - self._next

    @property
    def is_ahead(self) -> bool:
        """See Turns."""
        return self._made_bytes - self._read_bytes > MAX_UNREAD_BYTES

    @property
    def queue_ms(self) -> int:
        """How long it waited for an engine; counts on while it still waits."""
        begun_at = self.begun_at if self.begun_at is not None else time.perf_counter()
        return round(1000 * (begun_at - self.received_at))

    @property
    def engine_ms(self) -> int:
        """What engines spent on it so far."""
        return round(1000 * self.engine_seconds)

    def utterance(self) -> Utterance:
        """The piece that is due."""
        if self.begun_at is None:
            self.begun_at = time.perf_counter()
        return self._utterances[self._next]

    def publish(self, data: bytes) -> None:
        """Hands a chunk of PCM to the reader."""
        self._made_bytes += len(data)
        self._post(Pcm(data))

    def piece_done(self) -> None:
        """Closes the piece that was due, and after the last one the job."""
        self._post(PieceSpoken(self.pieces[self._next]))
        self._next += 1
        if self._next == len(self._utterances):
            self._post(Spoken())

    def fail_from_engine(self, error: WorkerError) -> None:
        """Ends the job from an engine's thread, after what was made before."""
        self._post(Failed(error))

    def fail(self, error: WorkerError) -> None:
        """Ends the job; the first reason stays. Its reader hears of it before what is still unread."""
        if self.failure is None:
            self.failure = error
            self._events.put_nowait(Failed(error))

    async def next_event(self) -> Event:
        """The next event. Raises the WorkerError that ended the job."""
        event = await self._events.get()
        return self._read(event)

    def ready_event(self) -> Event | None:
        """The next event if it is there already."""
        return None if self._events.empty() else self._read(self._events.get_nowait())

    def _read(self, event: Event) -> Event:
        if isinstance(event, Failed) and self.failure is None:
            self.failure = event.error
        if self.failure:
            raise self.failure
        if isinstance(event, Pcm):
            self._read_bytes += len(event.data)
            if not self.is_ahead:
                self._caught_up(self)
        return event

    def _post(self, event: Event) -> None:
        self._loop.call_soon_threadsafe(self._events.put_nowait, event)
