"""Who speaks next: a bounded queue whose requests take turns, a piece at a time."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import Final, Generic, Protocol, TypeVar

_SMOOTHING: Final = 0.2
_FIRST_GUESS_SECONDS: Final = 0.1


class Turns(Protocol):
    """A request as the queue sees it. All of it is read with the queue's lock held."""

    @property
    def has_begun(self) -> bool:
        """Whether an engine has worked on it."""
        ...

    @property
    def pieces_left(self) -> int:
        """Pieces still to be made; 0 once nothing more is wanted of it."""
        ...

    @property
    def is_ahead(self) -> bool:
        """Whether its reader has yet to take much of what was made, so that more can wait."""
        ...


T = TypeVar("T", bound=Turns)


class QueueFullError(Exception):
    """The queue holds as many requests as it may; an estimate says when to come again."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class FairQueue(Generic[T]):
    """Requests take turns in the order of their arrival; after each piece a request goes to the end.

    Safe to use from any thread. A request is in the queue from `submit` to its last piece or `discard`;
    one whose reader lags behind (`is_ahead`) sits out until `resume`.
    """

    def __init__(self, capacity: int, threads: int) -> None:
        self.capacity = capacity
        self._threads = threads
        self._changed = threading.Condition()
        self._held: set[T] = set()
        self._sitting_out: set[T] = set()
        self._turns: deque[T] = deque()
        self._piece_seconds = _FIRST_GUESS_SECONDS
        self._closed = False

    def submit(self, job: T) -> None:
        """Lets a request in. Raises QueueFullError."""
        with self._changed:
            if len(self._held) >= self.capacity:
                raise QueueFullError(self._seconds_until_room())
            self._held.add(job)
            self._turns.append(job)
            self._changed.notify()

    def take(self) -> T | None:
        """Waits for the next request that is due a piece; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                if self._turns:
                    return self._turns.popleft()
                self._changed.wait()
        return None

    def give_back(self, job: T, piece_seconds: float) -> None:
        """Ends the turn that `take` began; `piece_seconds` is what the engine spent on it."""
        with self._changed:
            self._piece_seconds += _SMOOTHING * (piece_seconds - self._piece_seconds)
            if job not in self._held:
                return
            if not job.pieces_left:
                self._held.remove(job)
            elif job.is_ahead:
                self._sitting_out.add(job)
            else:
                self._turns.append(job)
                self._changed.notify()

    def resume(self, job: T) -> None:
        """Lets a request that sits out take turns again, if its reader has caught up."""
        with self._changed:
            if job in self._sitting_out and not job.is_ahead:
                self._sitting_out.remove(job)
                self._turns.append(job)
                self._changed.notify()

    def discard(self, job: T) -> None:
        """Takes a request out, wherever it is; its turn, if it has one, ends by `give_back` as usual."""
        with self._changed:
            self._held.discard(job)
            self._sitting_out.discard(job)
            if job in self._turns:
                self._turns.remove(job)

    def close(self) -> None:
        """Sends every waiting thread home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def counts(self) -> tuple[int, int]:
        """Requests that have begun, and requests that wait to begin."""
        with self._changed:
            active = sum(job.has_begun for job in self._held)
            return active, len(self._held) - active

    def _seconds_until_room(self) -> int:
        """When the request nearest to its end should be through, if every request keeps taking turns."""
        fewest_left = min((job.pieces_left for job in self._held), default=1)
        rounds = fewest_left * len(self._held) / self._threads
        return max(1, math.ceil(rounds * self._piece_seconds))
