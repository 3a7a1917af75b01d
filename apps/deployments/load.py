"""What one process knows of a worker beside the table: its requests there, how fast they end, its rests."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.utils import timezone

FIRST_REST_SECONDS: Final = 0.5
LONGEST_REST_SECONDS: Final = 10.0
# A worker's own word for when it has room again is believed up to this.
LONGEST_BUSY_SECONDS: Final = 60.0
_FREED_REMEMBERED: Final = 32
# What a request takes while none has ended yet.
_FIRST_GUESS_SECONDS: Final = 2.0


class Load:
    """One worker, as one process sees it; times are on the monotonic clock, in seconds.

    How fast it serves is told by the slots freed while it had something to do: hours of idleness say nothing.
    """

    __slots__ = (
        "_busy_clock",
        "_busy_since",
        "_failures",
        "_freed",
        "_freed_at",
        "_rested_at",
        "failing_until",
        "full_until",
        "in_flight",
        "rests_until",
        "taken_at",
    )

    def __init__(self) -> None:
        self.in_flight = 0
        self.failing_until = 0.0
        self.full_until = 0.0
        self.rests_until = 0.0
        self.taken_at = float("-inf")
        self._failures = 0
        self._rested_at: datetime | None = None
        self._busy_clock = 0.0
        self._busy_since = 0.0
        self._freed: deque[float] = deque([0.0], maxlen=_FREED_REMEMBERED + 1)
        self._freed_at = 0.0

    def take(self, now: float) -> None:
        if not self.in_flight:
            self._busy_since = now
        self.in_flight += 1
        self.taken_at = now

    def free(self, now: float) -> None:
        clock = self._busy_clock + now - self._busy_since
        self._freed.append(clock)
        self._freed_at = now
        self.in_flight -= 1
        if not self.in_flight:
            self._busy_clock = clock

    def fails(self, now: float) -> float:
        """Rests it until it is seen healthy, at most 0.5 s at first and 10 s in the end; returns how long."""
        seconds = min(FIRST_REST_SECONDS * 2.0**self._failures, LONGEST_REST_SECONDS)
        self._failures = min(self._failures + 1, 16)
        self.failing_until = now + seconds
        self._rest()
        return seconds

    def is_full(self, now: float, seconds: float) -> float:
        """Rests it for as long as it said that it has no room, a minute at most; returns how long."""
        seconds = min(max(seconds, FIRST_REST_SECONDS), LONGEST_BUSY_SECONDS)
        self.full_until = now + seconds
        self._rest()
        return seconds

    def seen(self, at: datetime, *, has_room: bool) -> None:
        """Ends its rests where it was ready at a time after they began."""
        if self._rested_at is None or at <= self._rested_at:
            return
        self._failures, self.failing_until = 0, 0.0
        if has_room:
            self.full_until = 0.0
        self.rests_until = self.full_until
        self._rested_at = None if not self.full_until else self._rested_at

    def slots_a_second(self, now: float) -> float:
        """How many of its slots were freed a second lately, while it was busy."""
        clock = self._busy_clock + (now - self._busy_since if self.in_flight else 0.0)
        freed, seconds = len(self._freed) - 1, clock - self._freed[0]
        if not freed:
            return 1 / max(seconds, _FIRST_GUESS_SECONDS)
        return freed / max(seconds, 0.001)

    def seconds_without_a_free_slot(self, now: float) -> float:
        return now - max(self._freed_at, self._busy_since) if self.in_flight else 0.0

    def _rest(self) -> None:
        self.rests_until = max(self.failing_until, self.full_until)
        self._rested_at = timezone.now()


def seconds_until_served(loads: Iterable[Load], ahead: int, now: float) -> float:
    """When all of those ahead have a slot of these workers, and one more, by how slots were freed lately.

    Never sooner than the last stretch in which none of them freed any, nor than the first rest to end.
    """
    loads = list(loads)
    a_second = sum(load.slots_a_second(now) for load in loads)
    by_rate = (ahead + 1) / a_second if a_second else 0.0
    stalled = min((load.seconds_without_a_free_slot(now) for load in loads), default=0.0)
    opens = min((load.rests_until - now for load in loads), default=0.0)
    return max(by_rate, stalled, opens)
