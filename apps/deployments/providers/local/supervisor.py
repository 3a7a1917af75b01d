"""The only parent of worker processes on this machine.

It is told what is wanted, remembers it in a file, and keeps it so. Its workers end with it: they are stopped
on SIGTERM, and die by the kernel's hand when it is killed; what a system without that leaves behind is found
by pid and start time at the next start. Nothing is adopted.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from uuid import UUID

import aiohttp
import structlog

from apps.core import processes
from apps.deployments.providers.base import Wanted
from apps.deployments.providers.local import statefile
from apps.deployments.providers.local.layout import Layout
from apps.deployments.providers.local.slot import STOP_GRACE_SECONDS, Slot
from apps.deployments.providers.local.statefile import RecordedState
from apps.deployments.providers.local.wire import Fleet, WireError
from apps.deployments.providers.local.worker import WorkerProcess, WorkerSetup

logger = structlog.get_logger(__name__)


class CapacityError(Exception):
    """More workers are wanted than this machine may run; the message says what to do."""


class _Fleet:
    """The slots of one deployment.

    Those of `outgoing` speak until all that replace them can; those of `retiring` are drained and go.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.slots: list[Slot] = []
        self.outgoing: list[Slot] = []
        self.retiring: set[Slot] = set()

    @property
    def all_slots(self) -> list[Slot]:
        return [*self.slots, *self.outgoing, *self.retiring]

    @property
    def is_running(self) -> bool:
        """Whether every slot that is wanted has a worker that can speak."""
        return all(slot.is_running for slot in self.slots)

    def sort_out(self) -> list[Slot]:
        """Parts from what is wanted no more; returns those that may go at once."""
        wanted = self.wanted
        current = [slot for slot in self.slots if slot.is_of(wanted)]
        self.outgoing += [slot for slot in self.slots if not slot.is_of(wanted)]
        self.slots, leaving = current[: wanted.replicas], current[wanted.replicas :]
        return leaving

    def replaced(self) -> list[Slot]:
        """Those that nobody needs any more now."""
        if len(self.slots) < self.wanted.replicas or not self.is_running:
            return []
        gone, self.outgoing = self.outgoing, []
        return gone


class Supervisor:
    """Lives on one event loop, in the main thread; calls `notify` with a deployment's id at each change."""

    def __init__(
        self, layout: Layout, setup: WorkerSetup, *, max_workers: int, notify: Callable[[UUID], None]
    ) -> None:
        self._layout = layout
        self._setup = setup
        self._max_workers = max_workers
        self._notify = notify
        self._fleets: dict[UUID, _Fleet] = {}
        self._retirements: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._is_stopping = False

    async def start(self) -> None:
        """Ends what an earlier life left behind, then starts what was wanted in it."""
        self._session = aiohttp.ClientSession()
        state = self._read_state()
        await asyncio.to_thread(_end_leftovers, state)
        for port_file in self._layout.ports.iterdir():
            port_file.unlink()
        for wanted in state.wanted:
            try:
                self.ensure(wanted)
            except CapacityError as error:
                logger.warning("deployment not started", deployment=wanted.name, reason=str(error))

    async def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Drains and ends every worker; what is wanted stays on file for the next start."""
        self._is_stopping = True
        fleets = self._fleets.values()
        slots = [slot for fleet in fleets for slot in (*fleet.slots, *fleet.outgoing)]
        await asyncio.gather(*(slot.stop(grace_seconds) for slot in slots), *self._retirements)
        self._save()
        if self._session is not None:
            await self._session.close()

    def hurry(self) -> None:
        """Kills what is still draining."""
        for worker in self._workers():
            worker.kill()

    def ids(self) -> list[UUID]:
        return list(self._fleets)

    def describe(self, deployment_id: UUID) -> Fleet | None:
        fleet = self._fleets.get(deployment_id)
        if fleet is None:
            return None
        replicas = tuple(slot.describe() for slot in fleet.all_slots)
        return Fleet(wanted=fleet.wanted, replicas=replicas)

    def ensure(self, wanted: Wanted) -> Fleet:
        """Starts, replaces and retires workers so that they match. Raises CapacityError, changing nothing."""
        others = sum(
            fleet.wanted.replicas for key, fleet in self._fleets.items() if key != wanted.deployment_id
        )
        if others + wanted.replicas > self._max_workers:
            raise CapacityError(
                f"This machine may run {self._max_workers} speech workers, and others have {others}; "
                f"{wanted.replicas} more do not fit. Stop one of them, or raise LOCAL_MAX_WORKERS."
            )
        fleet = self._fleets.setdefault(wanted.deployment_id, _Fleet(wanted))
        fleet.wanted = wanted
        self._match(fleet)
        self._save()
        return Fleet(wanted=wanted, replicas=tuple(slot.describe() for slot in fleet.slots))

    def delete(self, deployment_id: UUID) -> bool:
        """Begins to take a deployment down; False where there is none."""
        fleet = self._fleets.get(deployment_id)
        if fleet is None:
            return False
        fleet.wanted = dataclasses.replace(fleet.wanted, replicas=0)
        self._match(fleet, forget=True)
        self._save()
        return True

    def _match(self, fleet: _Fleet, *, forget: bool = False) -> None:
        leaving = fleet.sort_out()
        for _ in range(fleet.wanted.replicas - len(fleet.slots)):
            fleet.slots.append(self._new_slot(fleet.wanted))
        leaving += fleet.replaced()
        if leaving or forget:
            self._begin_retirement(fleet, leaving, forget=forget)

    def _begin_retirement(self, fleet: _Fleet, leaving: list[Slot], *, forget: bool = False) -> None:
        fleet.retiring.update(leaving)
        retirement = asyncio.create_task(self._retire(fleet, leaving, forget=forget))
        self._retirements.add(retirement)
        retirement.add_done_callback(self._retirements.discard)

    async def _retire(self, fleet: _Fleet, leaving: list[Slot], *, forget: bool) -> None:
        await asyncio.gather(*(slot.stop() for slot in leaving))
        fleet.retiring.difference_update(leaving)
        if forget and not fleet.all_slots:
            self._fleets.pop(fleet.wanted.deployment_id, None)
        self._changed(fleet.wanted.deployment_id)

    def _new_slot(self, wanted: Wanted) -> Slot:
        assert self._session is not None, "start() comes first"  # noqa: S101
        return Slot(wanted, self._setup, self._session, on_change=lambda: self._changed(wanted.deployment_id))

    def _changed(self, deployment_id: UUID) -> None:
        if self._is_stopping:
            return
        fleet = self._fleets.get(deployment_id)
        if fleet is not None and (replaced := fleet.replaced()):
            self._begin_retirement(fleet, replaced)
        try:
            self._save()
        except OSError as error:  # a full disk is no reason to leave workers unwatched
            logger.error("state file not written", error=str(error))
        self._notify(deployment_id)

    def _workers(self) -> Iterator[WorkerProcess]:
        for fleet in self._fleets.values():
            for slot in fleet.all_slots:
                if slot.worker is not None:
                    yield slot.worker

    def _save(self) -> None:
        wanted = (fleet.wanted for fleet in self._fleets.values())
        running = (worker.recorded for worker in self._workers())
        statefile.write(self._layout.state, RecordedState(tuple(wanted), tuple(running)))

    def _read_state(self) -> RecordedState:
        try:
            return statefile.read(self._layout.state)
        except WireError as error:
            # The platform tells again what it wants within seconds; only the evidence is worth keeping.
            aside = self._layout.state.with_suffix(".broken")
            self._layout.state.replace(aside)
            logger.warning("state file is damaged, starting empty", kept_as=str(aside), reason=str(error))
            return RecordedState()


def _end_leftovers(state: RecordedState) -> None:
    for recorded in state.processes:
        left_over = processes.find(recorded.pid, recorded.identity)
        if left_over is None:
            continue
        logger.warning("worker of an earlier life ended", pid=recorded.pid)
        left_over.kill_group()
        left_over.wait(timeout_seconds=5)
