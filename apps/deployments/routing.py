"""Which worker a request goes to: a table in memory, read anew about once a second, and slots by it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken
from django.db import DatabaseError, InterfaceError, connection

from apps.core import metrics
from apps.core.errors import Unavailable
from apps.deployments import resolving
from apps.deployments.catalogue import Need, Offer, Table, Target, read_table
from apps.deployments.demand import TELL_SECONDS, Reporter
from apps.deployments.outlook import Outlook, Patience, Prospect, prospect_of
from apps.deployments.resolving import Choice
from apps.deployments.slots import Slot, Slots
from apps.deployments.waking import Waker

__all__ = ["Choice", "Need", "Offer", "Patience", "Router", "Slot", "Target"]

logger = structlog.get_logger(__name__)

REFRESH_SECONDS = 1.0
QUEUE_PLACES = 200
QUEUE_SECONDS = 10.0


class Router:
    """One for each process that sends speech requests, on its event loop; not for use from other threads.

    `start` reads the table once and keeps it fresh until `stop`. While the database is away the last table
    stays in use. `queue_places` bounds the requests that wait, `queue_seconds` how long those do that have no
    wish of their own.
    """

    def __init__(
        self,
        *,
        refresh_seconds: float = REFRESH_SECONDS,
        queue_places: int = QUEUE_PLACES,
        queue_seconds: float = QUEUE_SECONDS,
    ) -> None:
        self._refresh_seconds = refresh_seconds
        self._queue_seconds = queue_seconds
        self._slots = Slots(queue_places)
        self._waker = Waker()
        self._reporter = Reporter()
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._is_stale = False

    async def start(self) -> None:
        await self.refresh()
        self._task = asyncio.create_task(self._keep_fresh(), name="deployments-router")
        metrics.SPEECH_QUEUE_LENGTH.set_function(lambda: len(self._slots.queue))
        metrics.SPEECH_IN_FLIGHT.set_function(lambda: self._slots.in_flight)

    async def stop(self) -> None:
        """Refuses whoever still waits."""
        self._slots.close()
        await self._waker.stop()
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def refresh(self) -> None:
        """Reads the table now. Without a database it keeps the one it has."""
        try:
            table = await asyncio.to_thread(_read_in_thread)
        except (DatabaseError, InterfaceError, InvalidToken) as error:
            if not self._is_stale:
                logger.warning("routing table is stale", error=type(error).__name__, detail=str(error))
            self._is_stale = True
            return
        if self._is_stale:
            logger.info("routing table is fresh again")
        self._is_stale = False
        self._slots.renew(table)
        self._wake_what_fell_asleep()

    async def choose(
        self,
        *,
        organization_id: UUID | None,
        model: str | None = None,
        voice: str | None = None,
        features: frozenset[str] = frozenset(),
        engine: str | None = None,
        may_use_shared: bool = True,
    ) -> Choice:
        """The model and voice meant; see `resolving.resolve` for the ways to say no.

        With `engine`, only what that engine speaks exists. Looks again before it says that nothing is ready
        yet: a worker may be since the table was read, and a first request must not miss it.
        """
        for has_looked in (False, True):
            table = self._slots.table if engine is None else self._slots.table.of_engine(engine)
            try:
                return resolving.resolve(
                    table,
                    organization_id=organization_id,
                    model=model,
                    voice=voice,
                    features=features,
                    may_use_shared=may_use_shared,
                )
            except Unavailable as error:
                if has_looked or error.code != resolving.NOBODY_READY:
                    raise
            await self._look_again()
        raise AssertionError("the second round returns or raises")

    def offers(
        self, organization_id: UUID | None, *, engine: str | None = None, may_use_shared: bool = True
    ) -> list[Offer]:
        """Models that exist for the organization, also while no worker of theirs is ready."""
        table = self._slots.table if engine is None else self._slots.table.of_engine(engine)
        return table.offers(organization_id, may_use_shared=may_use_shared)

    def patience(self, wait_seconds: float | None = None) -> Patience:
        """Until when a request waits that came now; without a wish of its own, for busy workers only."""
        now = time.monotonic()
        if wait_seconds is None:
            return Patience(busy_until=now + self._queue_seconds, start_until=now)
        until = now + wait_seconds
        return Patience(busy_until=until, start_until=until)

    def take(self, need: Need, tried: Collection[UUID] = ()) -> Slot | None:
        """A slot where one is free now and nobody waits for it."""
        return self._slots.take(need, tried)

    async def foresee(self, need: Need, patience: Patience) -> Slot | None:
        """A slot where one is free, `None` where `route` may come by one. Wakes nobody, and does not wait.

        Raises `Unavailable` where `route` would at once: a request without a chance need not be admitted.
        """
        slot = await self._take_or_look_again(need, ())
        if slot is not None:
            return slot
        prospect = self._prospect(need, ())
        will_wait = self._will_wait(prospect, patience)
        if not will_wait and prospect.outlook is not Outlook.ASLEEP:
            raise prospect.refusal()
        if will_wait and not self._slots.queue.has_place_for(need.tenant):
            raise prospect.busy()
        return None

    async def route(
        self, need: Need, *, tried: Collection[UUID] = (), patience: Patience | None = None
    ) -> Slot:
        """A slot of a worker that is not among those `tried`, waited for in a fair queue where none is free.

        Wakes a sleeping deployment where nobody else can speak it. Raises `Unavailable`: `system_busy` where
        the queue is full or the wait was in vain, `deployment_asleep` where one was woken and the caller
        does not wait for it, else `speech_unavailable`. Safe to cancel.
        """
        slot = await self._take_or_look_again(need, tried)
        if slot is not None:
            return slot
        patience = patience or self.patience()
        prospect = self._prospect(need, tried)
        if prospect.asleep is not None and not await self._waker.wake(prospect.asleep.id):
            raise Unavailable(
                "What speaks this is asleep, and cannot be woken now.", code="speech_unavailable"
            )
        if not self._will_wait(prospect, patience):
            raise prospect.refusal()
        return await self._slots.wait(
            need,
            tried,
            patience.until(prospect.outlook),
            on_full=lambda: self._prospect(need, tried).busy(),
            in_vain=lambda: self._prospect(need, tried).refusal(),
        )

    def report_failure(self, target: Target, *, reason: str = "") -> None:
        """Leaves the worker out until it is next seen healthy, at most 0.5 s at first and 10 s in the end."""
        self._slots.report_failure(target, reason)

    def report_busy(self, target: Target, retry_after_seconds: float) -> None:
        """The worker has no room for as long as it said; nothing is wrong with it."""
        self._slots.report_busy(target, retry_after_seconds)

    async def _keep_fresh(self) -> None:
        told_at = time.monotonic()
        while True:
            await asyncio.sleep(self._refresh_seconds)
            await self.refresh()
            if time.monotonic() - told_at >= TELL_SECONDS:
                told_at = time.monotonic()
                await self.tell_demand()

    async def tell_demand(self) -> None:
        """Tells what this process has to do, for those who scale."""
        await asyncio.to_thread(self._reporter.tell, self._reporter.look(self._slots))

    async def _take_or_look_again(self, need: Need, tried: Collection[UUID]) -> Slot | None:
        slot = self._slots.take(need, tried)
        if slot is None and not self._slots.able(need, tried):
            await self._look_again()
            slot = self._slots.take(need, tried)
        return slot

    async def _look_again(self) -> None:
        """Reads the table once for all who ask at the same time."""
        if self._looking is None:
            self._looking = asyncio.create_task(self.refresh(), name="look again")
            self._looking.add_done_callback(self._has_looked)
        # Who gives up ends its own wait, not the others'.
        await asyncio.shield(self._looking)

    def _has_looked(self, _: asyncio.Task[None]) -> None:
        self._looking = None

    def _prospect(self, need: Need, tried: Collection[UUID]) -> Prospect:
        return prospect_of(self._slots, need, tried, notice_seconds=self._refresh_seconds)

    @staticmethod
    def _will_wait(prospect: Prospect, patience: Patience) -> bool:
        """Whether there is time, and anything that could come of it."""
        until = patience.until(prospect.outlook)
        return until > max(time.monotonic(), prospect.opens_at)

    def _wake_what_fell_asleep(self) -> None:
        """Of those who could speak what is waited for."""
        for need in {waiter.wish: waiter.need for waiter in self._slots.queue}.values():
            asleep = self._prospect(need, ()).asleep
            if asleep is not None:
                self._waker.begin(asleep.id)


def _read_in_thread() -> Table:
    try:
        return read_table()
    finally:
        connection.close()  # a thread of the executor would keep it for itself
