"""The copies of a container that run: started by requests, stopped by idleness, billed by the second."""

from __future__ import annotations

import math
import secrets
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.fakes.verda.clock import VirtualClock, stamp


@dataclass
class Replica:
    """`warm_at` is real (monotonic) time: a cold start keeps real requests waiting."""

    started_at: float
    warm_at: float
    stopped_at: float | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(6))

    @property
    def is_warm(self) -> bool:
        return time.monotonic() >= self.warm_at

    def seconds(self, now: float) -> float:
        return max(0.0, (now if self.stopped_at is None else self.stopped_at) - self.started_at)


class Replicas:
    """Follows `scaling`, an object as the API takes it.

    One is wanted for every `threshold` × `concurrent_requests_per_replica` requests in flight. The first
    starts with the request that needs it; more start when they were wanted for the whole delay of scaling up,
    and are stopped when fewer were wanted for the whole delay of scaling down.
    """

    def __init__(self, clock: VirtualClock, scaling: dict[str, Any]) -> None:
        self._clock, self.scaling = clock, scaling
        self.all: list[Replica] = []
        self.cold_start_seconds = 0.0
        self.in_flight = 0
        self._opens_at: float | None = None
        self._is_open = False
        self._wanting: tuple[bool, float] | None = None

    # ---- life of the deployment -----------------------------------------------------------------------
    def open(self, at: float) -> None:
        """From then on there may be replicas, and there are as many as the scaling's least."""
        self._opens_at, self._is_open = at, False

    def close(self) -> None:
        self.settle()
        self._opens_at, self._is_open, self._wanting = None, False, None
        self._stop(self.live, self._clock.now())

    def reclaim(self) -> None:
        """The spot market takes all of them; as many as are needed at once start anew."""
        self.settle()
        now = self._clock.now()
        self._stop(self.live, now)
        self._consider(now)

    def rescale(self, scaling: dict[str, Any]) -> None:
        self.settle()
        self.scaling = scaling
        now = self._clock.now()
        self._stop(self.live[scaling["max_replica_count"] :], now)
        self._wanting = None
        self._consider(now)

    # ---- load -----------------------------------------------------------------------------------------
    def arrive(self) -> None:
        self.settle()
        self.in_flight += 1
        self._consider(self._clock.now())

    def leave(self) -> None:
        self.settle()
        self.in_flight -= 1
        self._consider(self._clock.now())

    @property
    def places(self) -> int:
        """How many requests can be served at once by what is warm."""
        self.settle()
        return self._concurrency * sum(replica.is_warm for replica in self.live)

    # ---- what others see ------------------------------------------------------------------------------
    @property
    def live(self) -> list[Replica]:
        return [replica for replica in self.all if replica.stopped_at is None]

    def listed(self) -> list[dict[str, str]]:
        self.settle()
        return [
            {
                "id": replica.id,
                "status": "running" if replica.is_warm else "initializing",
                "started_at": stamp(replica.started_at),
            }
            for replica in self.live
        ]

    def seconds(self) -> Decimal:
        """Replica-seconds until now."""
        self.settle()
        now = self._clock.now()
        return sum((Decimal(str(round(replica.seconds(now), 3))) for replica in self.all), Decimal(0))

    # ---- scaling --------------------------------------------------------------------------------------
    def settle(self) -> None:
        """Lets happen what was due by now."""
        now = self._clock.now()
        if not self._is_open and self._opens_at is not None and self._opens_at <= now:
            self._is_open = True
            self._consider(self._opens_at)
        if self._wanting is None:
            return
        upwards, since = self._wanting
        due = since + self.scaling["scale_up_policy" if upwards else "scale_down_policy"]["delay_seconds"]
        if due <= now:
            self._raise_to(self._wanted(), due)
            self._stop(self.live[self._wanted() :], due)
            self._wanting = None

    def _consider(self, now: float) -> None:
        """Notes since when another number of replicas is wanted; starts what must not wait at once."""
        if not self._is_open:
            return
        self._raise_to(max(self._least, min(1, self.in_flight)), now)
        wanted, live = self._wanted(), len(self.live)
        if wanted == live:
            self._wanting = None
        elif self._wanting is None or self._wanting[0] != (wanted > live):
            self._wanting = wanted > live, now

    def _wanted(self) -> int:
        load = float(self.scaling["scaling_triggers"]["queue_load"]["threshold"]) * self._concurrency
        most = int(self.scaling["max_replica_count"])
        return min(max(math.ceil(self.in_flight / load), self._least), most)

    @property
    def _least(self) -> int:
        return int(self.scaling["min_replica_count"])

    @property
    def _concurrency(self) -> int:
        return int(self.scaling["concurrent_requests_per_replica"])

    def _raise_to(self, count: int, at: float) -> None:
        for _ in range(count - len(self.live)):
            self.all.append(Replica(at, time.monotonic() + self.cold_start_seconds))

    def _stop(self, replicas: list[Replica], at: float) -> None:
        for replica in replicas:
            replica.stopped_at = max(at, replica.started_at)
