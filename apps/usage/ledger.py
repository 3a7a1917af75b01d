"""The group commit: every request's row, opened before its first byte and closed at its end.

One writer in each speech process gathers what all requests in flight want written and writes it in one round
trip, on a connection of its own: no ORM and no thread on the way of a request.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import structlog

from apps.core.errors import Unavailable
from apps.usage.statements import HEARTBEAT, OpenRow, Settlement, charging_nothing, statements

logger = structlog.get_logger(__name__)

GATHER_SECONDS = 0.002
SETTLE_SECONDS = 0.02
FLUSH_SECONDS = 1.0
OPEN_TIMEOUT_SECONDS = 2.0
RETRY_SECONDS = 0.2
# An attempt that gets no answer at all must not outlive the requests that wait for it.
CONNECT_SECONDS = 2
HEARTBEAT_SECONDS = 5.0
NOT_ADMITTED = "not_admitted"
NOT_RECORDED = "not_recorded"
AWAY_ERRORS = (psycopg.OperationalError, psycopg.InterfaceError, OSError)


@dataclass(slots=True, eq=False)
class _Opening:
    """`done` has its result once the row is committed; whoever cancels it has no use for the row any more."""

    row: OpenRow
    done: asyncio.Future[None]


class Ledger:
    """The writer of one speech process, on one event loop. `owner_id` names the process in its rows."""

    def __init__(self, dsn: str) -> None:
        self.owner_id = uuid4()
        self._started_at = datetime.now(UTC)
        self._dsn = dsn
        self._cursor: psycopg.AsyncCursor | None = None
        self._openings: list[_Opening] = []
        self._settlements: list[Settlement] = []
        self._flushes: list[asyncio.Future[None]] = []
        self._in_flight = 0
        self._wake = asyncio.Event()
        self._wake_later: asyncio.TimerHandle | None = None
        self._beat_due = True
        self._stopping = False
        self._one_by_one = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
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
        await self._disconnect()

    def open(self, row: OpenRow) -> asyncio.Future[None]:
        """Done when the row is committed; fails with `Unavailable` where that takes over 2 s."""
        loop = asyncio.get_running_loop()
        opening = _Opening(row, loop.create_future())
        timer = loop.call_later(OPEN_TIMEOUT_SECONDS, _give_up, opening.done)
        opening.done.add_done_callback(lambda done: _heard(done, timer))
        self._openings.append(opening)
        self._in_flight += 1
        self._wake.set()
        return opening.done

    def close(self, settlement: Settlement) -> None:
        """Queues a settlement; it waits in memory where the database is away.

        Nobody waits for it: it goes along with the next opening, or alone a little later.
        """
        self._settlements.append(settlement)
        self._in_flight = max(0, self._in_flight - 1)
        if self._stopping:
            self._wake.set()
        elif self._wake_later is None:
            self._wake_later = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._wake.set)

    async def flush(self, *, timeout_seconds: float = FLUSH_SECONDS) -> None:
        """Returns when what was settled until now is committed; with the database away, after a while."""
        written = asyncio.get_running_loop().create_future()
        self._flushes.append(written)
        self._wake.set()
        await asyncio.wait([written], timeout=timeout_seconds)

    @property
    def pending(self) -> int:
        return len(self._openings) + len(self._settlements)

    async def _write_forever(self) -> None:
        while not (self._stopping and not self.pending):
            await self._wake.wait()
            # With others in flight some will want the same in a moment; alone there is nobody to wait for.
            await asyncio.sleep(GATHER_SECONDS if self._in_flight > 1 else 0)
            self._rest()
            openings, settlements = self._take()
            if not (openings or settlements or self._beat_due):
                self._tell_flushed()
                continue
            try:
                await self._write(openings, settlements)
            except AWAY_ERRORS as error:
                logger.warning("usage not written yet", error=type(error).__name__, rows=len(settlements))
                self._put_back(openings, settlements)
                await self._disconnect()
                await asyncio.sleep(RETRY_SECONDS)
            except psycopg.Error as error:
                self._refuse(openings, settlements, error)
            else:
                self._confirm(openings)
                self._tell_flushed()

    def _tell_flushed(self) -> None:
        if self._settlements:
            return
        waiting, self._flushes = self._flushes, []
        for written in waiting:
            if not written.done():
                written.set_result(None)

    def _rest(self) -> None:
        self._wake.clear()
        if self._wake_later is not None:
            self._wake_later.cancel()
            self._wake_later = None

    def _take(self) -> tuple[list[_Opening], list[Settlement]]:
        """What is written next: all that waits, or one of it where a lot was refused."""
        openings, settlements = [o for o in self._openings if not o.done.done()], self._settlements
        self._openings, self._settlements = [], []
        if self._one_by_one:
            self._one_by_one -= 1
            taken = 0 if openings else 1
            self._put_back(openings[1:], settlements[taken:])
            openings, settlements = openings[:1], settlements[:taken]
        if openings and settlements:
            # One statement does not see its own new rows: what closes one of them comes with the next.
            opened = {opening.row.id for opening in openings}
            self._put_back([], [s for s in settlements if s.id in opened])
            settlements = [s for s in settlements if s.id not in opened]
        return openings, settlements

    def _put_back(self, openings: list[_Opening], settlements: list[Settlement]) -> None:
        if openings or settlements:
            self._openings = openings + self._openings
            self._settlements = settlements + self._settlements
            self._wake.set()

    async def _write(self, openings: Sequence[_Opening], settlements: Sequence[Settlement]) -> None:
        """One statement, two where a stream broke, and before it the heartbeat when due.

        No row stands without an owner alive.
        """
        cursor = self._cursor = self._cursor or await self._connect()
        if self._beat_due:
            identity = (self.owner_id, socket.gethostname(), os.getpid(), self._started_at)
            await cursor.execute(HEARTBEAT, identity)
            self._beat_due = False
        if not (openings or settlements):
            return
        for statement, rows in statements(self.owner_id, [o.row for o in openings], settlements):
            await cursor.execute(statement, rows, prepare=True)

    async def _connect(self) -> psycopg.AsyncCursor:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=CONNECT_SECONDS
        )
        return connection.cursor()

    async def _disconnect(self) -> None:
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            await cursor.connection.close()

    def _confirm(self, openings: Sequence[_Opening]) -> None:
        for opening in openings:
            if opening.done.done():
                self.close(charging_nothing(opening.row.id, NOT_ADMITTED))
            else:
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
                self.close(charging_nothing(settlement.id, NOT_RECORDED))

    async def _beat_forever(self) -> None:
        while True:
            self._beat_due = True
            self._wake.set()
            await asyncio.sleep(HEARTBEAT_SECONDS)


def _give_up(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_exception(Unavailable("The database is away; nothing was charged.", code="database_away"))


def _heard(done: asyncio.Future[None], timer: asyncio.TimerHandle) -> None:
    timer.cancel()
    # A request may end without ever asking how this went.
    if not done.cancelled():
        done.exception()
