"""The group commit: every request's row, opened before its first byte and closed at its end.

One writer in each speech process gathers what all requests in flight want written for a few milliseconds and
writes it in one round trip, on a connection of its own: no ORM and no thread on the way of a request.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from apps.core.errors import Unavailable

logger = structlog.get_logger(__name__)

GATHER_SECONDS = 0.002
OPEN_TIMEOUT_SECONDS = 2.0
RETRY_SECONDS = 0.2
# The pool connects when it is asked and not again while one waits: ask often, so that a request which still
# has time is admitted once the database is back.
CONNECTION_WAIT_SECONDS = 0.2
HEARTBEAT_SECONDS = 5.0
NOT_ADMITTED = "not_admitted"
NOT_RECORDED = "not_recorded"
AWAY_ERRORS = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A request that was admitted."""

    id: UUID
    organization_id: UUID
    key_id: UUID | None
    request_id: str
    mode: str
    surface: str
    model: str
    voice: str
    characters: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a request ended. Times in milliseconds from its arrival."""

    id: UUID
    state: str
    deployment_id: UUID | None
    characters_charged: int
    audio_ms: int
    engine_ms: int
    ttfb_ms: float | None
    total_ms: float
    error_code: str


@dataclass(slots=True, eq=False)
class _Opening:
    row: OpenRow
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    abandoned: bool = False


_INSERT = """
INSERT INTO usage_usagerecord (id, organization_id, key_id, owner_id, request_id, state, mode, surface, model,
    voice, characters, characters_charged, audio_ms, engine_ms, error_code)
SELECT id, organization_id, key_id, %s, request_id, 'open', mode, surface, model, voice, characters,
    0, 0, 0, ''
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::int[]) AS row (id, organization_id, key_id, request_id, mode, surface, model, voice, characters)
ON CONFLICT (id) DO NOTHING
"""
# A row that the reconciler closed meanwhile stays as it is.
_UPDATE = """
UPDATE usage_usagerecord AS record SET state = row.state, deployment_id = row.deployment_id,
    characters_charged = row.characters_charged, audio_ms = row.audio_ms, engine_ms = row.engine_ms,
    ttfb_ms = row.ttfb_ms, total_ms = row.total_ms, error_code = row.error_code, closed_at = now()
FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::int[], %s::int[], %s::int[], %s::float[], %s::float[],
    %s::text[]) AS row (id, state, deployment_id, characters_charged, audio_ms, engine_ms, ttfb_ms, total_ms,
    error_code)
WHERE record.id = row.id AND record.state = 'open'
"""
_HEARTBEAT = """
INSERT INTO usage_speechprocess (id, hostname, pid, started_at, heartbeat_at) VALUES (%s, %s, %s, %s, now())
ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()
"""


class Ledger:
    """The writer of one speech process, on one event loop. `owner_id` names the process in its rows."""

    def __init__(self, dsn: str) -> None:
        self.owner_id = uuid4()
        self._started_at = datetime.now(UTC)
        self._pool = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=2,
            open=False,
            timeout=CONNECTION_WAIT_SECONDS,
            kwargs={"autocommit": True, "connect_timeout": 2},
            check=None,
            reconnect_timeout=0,
        )
        self._openings: list[_Opening] = []
        self._settlements: list[Settlement] = []
        self._wake = asyncio.Event()
        self._beat_due = True
        self._stopping = False
        self._one_by_one = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._pool.open(wait=False)
        self._tasks = [asyncio.create_task(self._write_forever()), asyncio.create_task(self._beat_forever())]

    async def stop(self, *, timeout_seconds: float = 5.0) -> None:
        """Writes what is left; what cannot be written in time is left to the reconciler."""
        self._stopping = True
        self._wake.set()
        writer, heart = self._tasks
        heart.cancel()
        await asyncio.wait([writer], timeout=timeout_seconds)
        writer.cancel()
        await asyncio.gather(writer, heart, return_exceptions=True)
        if self._settlements:
            logger.error("settlements left to the reconciler", count=len(self._settlements))
        await self._pool.close()

    async def open(self, row: OpenRow) -> None:
        """Returns when the row is committed. Raises `Unavailable` where that takes over 2 s."""
        opening = _Opening(row)
        self._openings.append(opening)
        self._wake.set()
        try:
            await asyncio.wait_for(asyncio.shield(opening.done), OPEN_TIMEOUT_SECONDS)
        except TimeoutError:
            raise Unavailable("The database is away; nothing was charged.", code="database_away") from None
        finally:
            # Whoever stopped waiting has no use for the row: the writer leaves it out, or closes it. Where it
            # was written already, the settlement of the request closes it.
            opening.abandoned = not (opening.done.done() and not opening.done.cancelled())

    def close(self, settlement: Settlement) -> None:
        """Queues a settlement; it waits in memory where the database is away."""
        self._settlements.append(settlement)
        self._wake.set()

    @property
    def pending(self) -> int:
        return len(self._openings) + len(self._settlements)

    async def _write_forever(self) -> None:
        while not (self._stopping and not self.pending):
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(GATHER_SECONDS)
            openings, settlements = self._take()
            if not (openings or settlements or self._beat_due):
                continue
            try:
                await self._write(openings, settlements)
            except AWAY_ERRORS as error:
                logger.warning("usage not written yet", error=type(error).__name__, rows=len(settlements))
                self._put_back(openings, settlements)
                await asyncio.sleep(RETRY_SECONDS)
            except psycopg.Error as error:
                self._refuse(openings, settlements, error)
            else:
                self._confirm(openings)

    def _take(self) -> tuple[list[_Opening], list[Settlement]]:
        """What is written next: all that waits, or one of it where a lot was refused."""
        openings, settlements = [o for o in self._openings if not o.abandoned], self._settlements
        self._openings, self._settlements = [], []
        if self._one_by_one:
            self._one_by_one -= 1
            taken = 0 if openings else 1
            self._put_back(openings[1:], settlements[taken:])
            openings, settlements = openings[:1], settlements[:taken]
        return openings, settlements

    def _put_back(self, openings: list[_Opening], settlements: list[Settlement]) -> None:
        self._openings = openings + self._openings
        self._settlements = settlements + self._settlements
        self._wake.set()

    async def _write(self, openings: Sequence[_Opening], settlements: Sequence[Settlement]) -> None:
        """One round trip. The heartbeat goes first: a row never stands without an owner that is alive."""
        statements = self._beat_due + bool(openings) + bool(settlements)
        async with self._pool.connection() as connection, _round_trip(connection, statements):
            if self._beat_due:
                identity = (self.owner_id, socket.gethostname(), os.getpid(), self._started_at)
                await connection.execute(_HEARTBEAT, identity)
            if openings:
                rows = [o.row for o in openings]
                await connection.execute(_INSERT, (self.owner_id, *_columns(rows)), prepare=True)
            if settlements:
                # An UPDATE that finds a row twice takes either; the first word on a request is the true one.
                first_words = list({s.id: s for s in reversed(settlements)}.values())
                await connection.execute(_UPDATE, _columns(first_words), prepare=True)
        self._beat_due = False

    def _confirm(self, openings: Sequence[_Opening]) -> None:
        for opening in openings:
            if opening.abandoned:
                self.close(_charging_nothing(opening.row.id, NOT_ADMITTED))
            elif not opening.done.done():
                opening.done.set_result(None)

    def _refuse(self, openings: list[_Opening], settlements: list[Settlement], error: psycopg.Error) -> None:
        """One row that the database will never take spoils a lot: each is tried alone, and that one given up.

        Its opening is refused; its settlement is replaced by one that charges nothing.
        """
        count = len(openings) + len(settlements)
        if count > 1:
            self._one_by_one = count
            self._put_back(openings, settlements)
            return
        logger.error("usage refused by the database", error=str(error), lost=[str(s.id) for s in settlements])
        for opening in openings:
            if not opening.done.done():
                opening.done.set_exception(Unavailable("This request could not be recorded."))
        for settlement in settlements:
            if settlement.error_code != NOT_RECORDED:
                self.close(_charging_nothing(settlement.id, NOT_RECORDED))

    async def _beat_forever(self) -> None:
        while True:
            self._beat_due = True
            self._wake.set()
            await asyncio.sleep(HEARTBEAT_SECONDS)


def _round_trip(
    connection: psycopg.AsyncConnection[Any], statements: int
) -> AbstractAsyncContextManager[object]:
    """Several statements go together; for a single one the pipeline would cost more than it saves."""
    return connection.pipeline() if statements > 1 else nullcontext()


def _columns(rows: Sequence[OpenRow] | Sequence[Settlement]) -> list[list[object]]:
    """Rows turned into one array a column, in the order of their fields."""
    names = type(rows[0]).__slots__
    return [[getattr(row, name) for row in rows] for name in names]


def _charging_nothing(record_id: UUID, error_code: str) -> Settlement:
    return Settlement(
        id=record_id,
        state="failed",
        deployment_id=None,
        characters_charged=0,
        audio_ms=0,
        engine_ms=0,
        ttfb_ms=None,
        total_ms=0,
        error_code=error_code,
    )
