"""Which worker a request goes to: a table in memory, read anew about once a second."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken
from django.db import DatabaseError, InterfaceError, connection

from apps.deployments.catalogue import Choice, Table, Target, read_table

__all__ = ["Choice", "Router", "Target"]

logger = structlog.get_logger(__name__)

REFRESH_SECONDS = 1.0
FIRST_EXCLUSION_SECONDS = 0.5
LONGEST_EXCLUSION_SECONDS = 10.0


@dataclass(slots=True)
class _Failures:
    """A worker's failures since it was last seen to be healthy."""

    seen_at: datetime
    count: int = 0
    excluded_until: float = 0.0  # on the monotonic clock


class Router:
    """One for each process that sends speech requests, on its event loop; not for use from other threads.

    `start` reads the table once and keeps it fresh until `stop`. While the database is away the last table
    stays in use.
    """

    def __init__(self, *, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self._refresh_seconds = refresh_seconds
        self._table = Table()
        self._in_flight: dict[UUID, int] = {}
        self._failures: dict[UUID, _Failures] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_stale = False

    async def start(self) -> None:
        await self.refresh()
        self._task = asyncio.create_task(self._keep_fresh(), name="deployments-router")

    async def stop(self) -> None:
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
        self._table = table
        self._forget_healthy()

    def candidates(
        self,
        *,
        organization_id: UUID | None,
        model: str,
        voice: str,
        features: frozenset[str] = frozenset(),
        engine: str | None = None,
    ) -> list[Target]:
        """Ready workers that can speak this, best first: the organization's own, then fewest in flight.

        Requests of this process count first; between equals what the worker reported decides, then chance.
        """
        now = time.monotonic()
        able = [
            target
            for target in self._table.visible_targets(organization_id)
            if target.can_speak(model, voice, features)
            and engine in (None, target.engine)
            and not self._is_excluded(target.worker_id, now)
        ]
        if len(able) > 1:
            able.sort(key=self._rank)
        return able

    @contextlib.contextmanager
    def in_flight(self, target: Target) -> Iterator[None]:
        """Counts one request for as long as it runs."""
        worker_id = target.worker_id
        self._in_flight[worker_id] = self._in_flight.get(worker_id, 0) + 1
        try:
            yield
        finally:
            left = self._in_flight[worker_id] - 1
            if left:
                self._in_flight[worker_id] = left
            else:
                del self._in_flight[worker_id]

    def report_failure(self, target: Target) -> None:
        """Leaves the worker out until it is next seen healthy, at most 0.5 s at first and 10 s in the end."""
        failures = self._failures.setdefault(target.worker_id, _Failures(seen_at=target.last_seen_at))
        seconds = min(FIRST_EXCLUSION_SECONDS * 2**failures.count, LONGEST_EXCLUSION_SECONDS)
        failures.count = min(failures.count + 1, 16)
        failures.excluded_until = time.monotonic() + seconds
        logger.warning(
            "worker failed", worker=str(target.worker_id), url=target.url, excluded_seconds=seconds
        )

    def resolve(
        self,
        *,
        organization_id: UUID | None,
        model: str | None = None,
        voice: str | None = None,
        engine: str | None = None,
    ) -> Choice:
        """The model and voice meant; `NotFound` for unknown ones, `Unavailable` while that is not known.

        With `engine`, only what that engine speaks exists.
        """
        table = self._table if engine is None else self._table.of_engine(engine)
        return table.resolve(organization_id=organization_id, model=model, voice=voice)

    def default_for(self, organization_id: UUID | None) -> Choice | None:
        """What speaks where neither model nor voice is named; `None` while nothing was ever ready."""
        return self._table.default_for(organization_id)

    def models(self, organization_id: UUID | None) -> list[str]:
        """Models that exist for the organization, also while no worker of theirs is ready."""
        visible = self._table.visible_deployments(organization_id)
        return list(dict.fromkeys(model for known in visible for model in known.models))

    def voices(self, organization_id: UUID | None, *, model: str | None = None) -> list[str]:
        """Voices that exist for the organization, of one model or of all."""
        visible = self._table.visible_deployments(organization_id)
        return list(
            dict.fromkeys(
                voice for known in visible if model is None or model in known.models for voice in known.voices
            )
        )

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(self._refresh_seconds)
            await self.refresh()

    def _rank(self, target: Target) -> tuple[bool, int, int, float]:
        return (
            target.is_shared,
            self._in_flight.get(target.worker_id, 0),
            target.reported_in_flight,
            random.random(),  # noqa: S311 - spreads load, guards nothing
        )

    def _is_excluded(self, worker_id: UUID, now: float) -> bool:
        failures = self._failures.get(worker_id)
        return failures is not None and now < failures.excluded_until

    def _forget_healthy(self) -> None:
        """Drops the failures of workers that were seen since, or are gone."""
        if not self._failures:
            return
        seen_at = {
            target.worker_id: target.last_seen_at
            for targets in self._table.targets.values()
            for target in targets
        }
        self._failures = {
            worker_id: failures
            for worker_id, failures in self._failures.items()
            if seen_at.get(worker_id) == failures.seen_at
        }


def _read_in_thread() -> Table:
    try:
        return read_table()
    finally:
        connection.close()  # a thread of the executor would keep it for itself
