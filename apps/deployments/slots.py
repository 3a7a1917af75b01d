"""Slots of ready workers: who has room, who is asked first, and who waits until there is some."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from apps.core import metrics
from apps.core.errors import AppError
from apps.deployments.catalogue import Need, Table, Target, can_speak
from apps.deployments.fair_queue import FairQueue, QueueFullError, Waiter
from apps.deployments.load import Load

logger = structlog.get_logger(__name__)


class Slot:
    """A place for one request at a worker, held until it is released; to release it again does no harm."""

    __slots__ = ("_load", "_slots", "target")

    def __init__(self, target: Target, load: Load, slots: Slots) -> None:
        self.target = target
        self._load: Load | None = load
        self._slots = slots

    def release(self) -> None:
        load, self._load = self._load, None
        if load is not None:
            load.free(time.monotonic())
            self._slots.serve()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Slots:
    """Those that one process knows of, on its event loop; not for use from other threads.

    Nothing polls: whoever waits is served when a slot is released, a rest ends, or the table is renewed.
    """

    def __init__(self, queue_places: int) -> None:
        self.table = Table()
        self.queue: FairQueue[Slot] = FairQueue(queue_places)
        self._loads: dict[UUID, Load] = {}
        self._next_rest: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        return sum(load.in_flight for load in self._loads.values())

    def renew(self, table: Table) -> None:
        """Goes by a table just read: who was seen healthy rests no more, who is gone is forgotten."""
        self.table = table
        loads: dict[UUID, Load] = {}
        for targets in table.targets.values():
            for target in targets:
                load = self._loads.get(target.worker_id)
                if load is not None:
                    load.seen(target.last_seen_at, has_room=target.reported_in_flight < target.capacity)
                    loads[target.worker_id] = load
        self._loads = loads | {worker_id: load for worker_id, load in self._loads.items() if load.in_flight}
        self.serve()

    def load_of(self, target: Target) -> Load:
        load = self._loads.get(target.worker_id)
        if load is None:
            load = self._loads[target.worker_id] = Load()
        return load

    def loads(self) -> Iterator[tuple[Target, Load]]:
        """Of the workers that this process has sent requests to."""
        for targets in self.table.targets.values():
            for target in targets:
                load = self._loads.get(target.worker_id)
                if load is not None:
                    yield target, load

    def able(self, need: Need, tried: Collection[UUID] = ()) -> list[Target]:
        """Ready workers that can speak it, whether or not they have room."""
        groups = self.table.target_groups(need)
        return [
            target
            for group in groups
            for target in group
            if can_speak(target, need) and target.worker_id not in tried
        ]

    def take(self, need: Need, tried: Collection[UUID] = ()) -> Slot | None:
        """A free slot of the worker with the fewest requests; one's own workers go before shared ones.

        Requests of this process count first; between equals what the worker reported decides, then chance.
        Nobody overtakes those who wait.
        """
        if self.queue:
            self.serve()
        return self._take(need, tried)

    async def wait(
        self,
        need: Need,
        tried: Collection[UUID],
        until: float,
        *,
        on_full: Callable[[], AppError],
        in_vain: Callable[[], AppError],
    ) -> Slot:
        """A slot, in turn; `until` is on the monotonic clock.

        Raises `on_full()` where the queue has no place, and `in_vain()` at that time, or where the place goes
        to another. A cancelled caller leaves nothing behind: neither a place in the queue nor a slot.
        """
        loop = asyncio.get_running_loop()
        given: asyncio.Future[Slot] = loop.create_future()
        waiter = Waiter(need, frozenset(tried), given, in_vain)
        try:
            displaced = self.queue.join(waiter)
        except QueueFullError:
            raise on_full() from None
        if displaced is not None:
            displaced.refuse()
        expiry = loop.call_at(until, self._give_up, waiter)
        began, outcome = time.monotonic(), "left"
        self._look_when_a_rest_ends()
        try:
            slot = await given
            outcome = "served"
            return slot
        except AppError:
            outcome = "refused"
            raise
        except asyncio.CancelledError:
            if (unheard := waiter.given()) is not None:
                unheard.release()
            raise
        finally:
            expiry.cancel()
            self.queue.leave(waiter)
            metrics.SPEECH_QUEUE_SECONDS.labels(outcome).observe(time.monotonic() - began)

    def serve(self) -> None:
        """Gives the slots that are free to those who wait, tenants in turn."""
        if self.queue:
            self.queue.serve(self._give)
            self._look_when_a_rest_ends()

    def close(self) -> None:
        """Refuses whoever still waits."""
        for waiter in list(self.queue):
            self._give_up(waiter)
        if self._next_rest is not None:
            self._next_rest.cancel()

    def report_failure(self, target: Target, reason: str) -> None:
        seconds = self.load_of(target).fails(time.monotonic())
        metrics.SPEECH_WORKER_TROUBLES.labels("failed").inc()
        logger.warning(
            "worker failed",
            worker=str(target.worker_id),
            reason=reason,
            rests_seconds=seconds,
        )

    def report_busy(self, target: Target, retry_after_seconds: float) -> None:
        seconds = self.load_of(target).is_full(time.monotonic(), retry_after_seconds)
        metrics.SPEECH_WORKER_TROUBLES.labels("busy").inc()
        logger.info("worker is full", worker=str(target.worker_id), rests_seconds=seconds)

    def _take(self, need: Need, tried: Collection[UUID]) -> Slot | None:
        now = time.monotonic()
        for group in self.table.target_groups(need):
            target = self._least_loaded(group, need, tried, now)
            if target is not None:
                load = self.load_of(target)
                load.take(now)
                return Slot(target, load, self)
        return None

    def _least_loaded(
        self, group: Iterable[Target], need: Need, tried: Collection[UUID], now: float
    ) -> Target | None:
        best: Target | None = None
        least, equals = (0, 0), 0
        for target in group:
            if not can_speak(target, need) or target.worker_id in tried:
                continue
            load = self.load_of(target)
            if load.in_flight >= target.capacity or load.rests_until > now:
                continue
            rank = (load.in_flight, target.reported_in_flight)
            if best is None or rank < least:
                best, least, equals = target, rank, 1
            elif rank == least:
                equals += 1
                if random.random() * equals < 1:  # noqa: S311 - spreads load, guards nothing
                    best = target
        return best

    def _give(self, waiter: Waiter[Slot]) -> bool:
        slot = self._take(waiter.need, waiter.tried)
        if slot is None:
            return False
        waiter.slot.set_result(slot)
        return True

    def _give_up(self, waiter: Waiter[Slot]) -> None:
        self.queue.leave(waiter)
        waiter.refuse()

    def _look_when_a_rest_ends(self) -> None:
        """A rest ends by itself, without anything that would serve those who wait for it."""
        if self._next_rest is not None:
            self._next_rest.cancel()
            self._next_rest = None
        now = time.monotonic()
        ends = [load.rests_until for load in self._loads.values() if load.rests_until > now]
        if self.queue and ends:
            self._next_rest = asyncio.get_running_loop().call_at(min(ends), self.serve)
