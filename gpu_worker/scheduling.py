"""Who speaks next: a bounded queue whose callers, and whose requests, take turns a piece at a time."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Final, Generic, Protocol, TypeVar

_SMOOTHING: Final = 0.2
# Until pieces were made; weighs little beside them.
_FIRST_GUESS_CHARACTERS: Final = 10.0
_FIRST_GUESS_SECONDS: Final = 0.01
# A listener is served again this long, and the time of two pieces, before the audio runs out.
_LEAD_SECONDS: Final = 1.0
# After so many turns of what goes first, what had to wait has one.
_MAX_IN_A_ROW: Final = 3


class Turns(Protocol):
    """A request as the queue sees it. All of it is read with the queue's lock held."""

    @property
    def tenant(self) -> str:
        """Whose it is: tenants take turns."""
        ...

    @property
    def has_begun(self) -> bool:
        """Whether an engine has worked on it."""
        ...

    @property
    def characters_left(self) -> int:
        """Characters still to be spoken; 0 once nothing more is wanted of it."""
        ...

    @property
    def is_ahead(self) -> bool:
        """Whether its reader has yet to take much of what was made, so that more can wait."""
        ...

    @property
    def runs_dry_at(self) -> float | None:
        """When its listener will have heard all that was made (time.monotonic); None where none listens."""
        ...


T = TypeVar("T", bound=Turns)


class QueueFullError(Exception):
    """The queue holds as many requests as it may. `position` is the place that was asked for."""

    def __init__(self, retry_after_seconds: int, position: int) -> None:
        super().__init__(retry_after_seconds, position)
        self.retry_after_seconds = retry_after_seconds
        self.position = position


class _Kind(IntEnum):
    """What a request is due."""

    URGENT = 0
    FIRST = 1
    LATER = 2


@dataclass(eq=False, slots=True)
class _Caller(Generic[T]):
    """A tenant with requests; `served` is the number of its last turn, 0 for none yet."""

    served: int = 0
    held: int = 0
    firsts_in_a_row: int = 0
    due: tuple[deque[T], deque[T], deque[T]] = field(default_factory=lambda: (deque(), deque(), deque()))

    def next_kind(self) -> _Kind:
        """First pieces before later ones, but not for ever."""
        first, later = self.due[_Kind.FIRST], self.due[_Kind.LATER]
        if not later:
            self.firsts_in_a_row = 0
            return _Kind.FIRST
        if first and self.firsts_in_a_row < _MAX_IN_A_ROW:
            self.firsts_in_a_row += 1
            return _Kind.FIRST
        self.firsts_in_a_row = 0
        return _Kind.LATER


class FairQueue(Generic[T]):
    """The tenant that was served longest ago has the next turn, and its requests take turns in it.

    Streams whose audio is about to run out come before that, and within a tenant first pieces come before
    later ones; yet what had to wait has every fourth turn. Safe to use from any thread. A request is in the
    queue from `submit` to its last piece or `discard`; one whose reader lags behind (`is_ahead`) sits out
    until `resume`.

    It holds `capacity` requests. Tenants with less than their share of them may hold up to a quarter more, so
    that one who fills the queue does not shut others out.
    """

    def __init__(self, capacity: int, threads: int) -> None:
        self.capacity = capacity
        self._places_beyond = max(1, capacity // 4)
        self._threads = threads
        self._changed = threading.Condition()
        self._held: set[T] = set()
        self._sitting_out: set[T] = set()
        self._callers: dict[str, _Caller[T]] = {}
        self._due: dict[T, _Kind] = {}
        self._urgent_at: dict[T, float] = {}
        self._soonest = math.inf
        self._numbers = count(1)
        self._urgent_in_a_row = 0
        self._taken: dict[T, int] = {}
        self._seconds = _FIRST_GUESS_SECONDS
        self._characters = _FIRST_GUESS_CHARACTERS
        self._piece_seconds = _FIRST_GUESS_SECONDS
        self._closed = False

    def refuse_if_full(self, tenant: str) -> None:
        """Raises QueueFullError where `submit` would, for a request of that tenant."""
        with self._changed:
            places = self.capacity + (self._places_beyond if self._has_less_than_its_share(tenant) else 0)
            if (excess := len(self._held) - places) >= 0:
                raise QueueFullError(self._seconds_until_room(excess + 1), self._position(tenant))

    def submit(self, job: T) -> None:
        """Lets a request in. Raises QueueFullError."""
        with self._changed:
            self.refuse_if_full(job.tenant)
            self._held.add(job)
            self._callers.setdefault(job.tenant, _Caller()).held += 1
            self._make_due(job)

    def take(self, *, wait: bool = True) -> T | None:
        """The next request that is due a piece. None if there is none, or, waiting, once it is closed."""
        with self._changed:
            while not self._closed:
                if self._due:
                    job = self._next()
                    self._taken[job] = job.characters_left
                    return job
                if not wait:
                    break
                self._changed.wait()
        return None

    def give_back(self, job: T, engine_seconds: float) -> None:
        """Ends the turn that `take` began; `engine_seconds` is the engine time that it used."""
        with self._changed:
            characters_before = self._taken.pop(job, 0)
            if job not in self._held:
                return
            self._learn(engine_seconds, characters_before - job.characters_left)
            if not job.characters_left:
                self._release(job)
            elif job.is_ahead:
                self._sitting_out.add(job)
            else:
                self._make_due(job)

    def resume(self, job: T) -> None:
        """Lets a request that sits out take turns again, if its reader has caught up."""
        with self._changed:
            if job in self._sitting_out and not job.is_ahead:
                self._sitting_out.remove(job)
                self._make_due(job)

    def discard(self, job: T) -> None:
        """Takes a request out, wherever it is; its turn, if it has one, ends by `give_back` as usual."""
        with self._changed:
            kind = self._due.pop(job, None)
            self._urgent_at.pop(job, None)
            if kind is not None:
                self._callers[job.tenant].due[kind].remove(job)
            self._sitting_out.discard(job)
            if job in self._held:
                self._release(job)

    def close(self) -> None:
        """Sends every waiting thread home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether `take` gives nothing any more."""
        return self._closed

    def counts(self) -> tuple[int, int]:
        """Requests that have begun, and requests that wait to begin."""
        with self._changed:
            active = sum(job.has_begun for job in self._held)
            return active, len(self._held) - active

    def position(self, tenant: str) -> int:
        """The place among the waiting that a request of that tenant would get, by the turns it would have."""
        with self._changed:
            return self._position(tenant)

    def _has_less_than_its_share(self, tenant: str) -> bool:
        caller = self._callers.get(tenant)
        if caller is None:
            return True
        return caller.held < self.capacity // len(self._callers)

    def _release(self, job: T) -> None:
        self._held.remove(job)
        caller = self._callers[job.tenant]
        caller.held -= 1
        if not caller.held:
            del self._callers[job.tenant]

    def _make_due(self, job: T) -> None:
        kind = _Kind.LATER if job.has_begun else _Kind.FIRST
        self._place(job, kind)
        dry_at = job.runs_dry_at
        if dry_at is not None and kind is _Kind.LATER:
            self._urgent_at[job] = dry_at - _LEAD_SECONDS - 2 * self._piece_seconds
            self._soonest = min(self._soonest, self._urgent_at[job])
        self._changed.notify()

    def _place(self, job: T, kind: _Kind) -> None:
        self._callers[job.tenant].due[kind].append(job)
        self._due[job] = kind

    def _next(self) -> T:
        self._find_urgent()
        urgent = [caller for caller in self._callers.values() if caller.due[_Kind.URGENT]]
        others = [caller for caller in self._callers.values() if any(caller.due[_Kind.FIRST :])]
        if urgent and not (others and self._urgent_in_a_row >= _MAX_IN_A_ROW):
            self._urgent_in_a_row += 1
            caller, kind = min(urgent, key=_last_turn), _Kind.URGENT
        else:
            self._urgent_in_a_row = 0
            caller = min(others, key=_last_turn)
            kind = caller.next_kind()
        job = caller.due[kind].popleft()
        caller.served = next(self._numbers)
        del self._due[job]
        self._urgent_at.pop(job, None)
        return job

    def _find_urgent(self) -> None:
        now = time.monotonic()
        if now < self._soonest:
            return
        for job in [job for job, urgent_at in self._urgent_at.items() if urgent_at <= now]:
            del self._urgent_at[job]
            self._callers[job.tenant].due[_Kind.LATER].remove(job)
            self._place(job, _Kind.URGENT)
        self._soonest = min(self._urgent_at.values(), default=math.inf)

    def _learn(self, engine_seconds: float, characters: int) -> None:
        self._piece_seconds += _SMOOTHING * (engine_seconds - self._piece_seconds)
        # Both decay alike, so that their ratio weighs a long piece more than a short one.
        self._seconds = (1 - _SMOOTHING) * self._seconds + engine_seconds
        self._characters = (1 - _SMOOTHING) * self._characters + characters

    def _position(self, tenant: str) -> int:
        waiting = Counter(job.tenant for job in self._held if not job.has_begun)
        turn = waiting.pop(tenant, 0) + 1
        return turn + sum(min(others, turn) for others in waiting.values())

    def _seconds_until_room(self, leaving: int) -> int:
        """When so many requests, those with the least left, should be through if all go on taking turns."""
        left = sorted(job.characters_left for job in self._held)
        before_room = sum(min(characters, left[leaving - 1]) for characters in left)
        seconds = before_room * self._seconds / max(self._characters, 1.0) / self._threads
        return max(1, math.ceil(seconds))


def _last_turn(caller: _Caller[T]) -> int:
    return caller.served
