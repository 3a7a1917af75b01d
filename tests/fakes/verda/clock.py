"""Time as the stand-in counts it: every transition, expiry and bill goes by this clock and no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class VirtualClock:
    """Seconds since the epoch. They pass by `advance`, and `speed` of them in each real second besides."""

    def __init__(self, *, start: float = 1_800_000_000.0, speed: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._at, self._since, self._speed = start, time.monotonic(), speed
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> float:
        with self._lock:
            return self._at + (time.monotonic() - self._since) * self._speed

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        now = self.now()
        with self._lock:
            self._at, self._since, self._speed = now, time.monotonic(), speed

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time does not run backwards")
        with self._lock:
            self._at += seconds
        for heard in self._listeners:
            heard()

    def on_advance(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)


def stamp(at: float) -> str:
    """As the API writes a moment: 2027-01-15T08:00:00.000Z."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Timeline:
    """Which status holds at which moment; what has been planned comes true when the clock gets there."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._steps: list[tuple[float, str]] = []

    def plan(self, *steps: tuple[str, float]) -> None:
        """Statuses from now on, each with the seconds it lasts; the last one stays. Older plans are void."""
        at = self._clock.now()
        self._steps = [step for step in self._steps if step[0] <= at]
        for status, seconds in steps:
            self._steps.append((at, status))
            at += seconds

    @property
    def status(self) -> str:
        now = self._clock.now()
        return next(status for at, status in reversed(self._steps) if at <= now)

    def began(self, status: str) -> float | None:
        """When a status first began, or is planned to; None if it never does."""
        return next((at for at, name in self._steps if name == status), None)

    @property
    def history(self) -> list[str]:
        now = self._clock.now()
        return [status for at, status in self._steps if at <= now]
