"""The group commit: every request's row, opened before its first byte and closed at its end.

One writer in each speech process gathers what all requests in flight want written and writes it in one round
trip, on a connection of its own: no ORM and no thread on the way of a request. What is alone is sent at once,
so that the database is at it while the request goes to its worker.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

import psycopg
import structlog

from apps.core.errors import Unavailable
from apps.core.prepared import PreparedConnection, Statement
from apps.usage.statements import (
    HEARTBEAT,
    STATEMENTS,
    OpenRow,
    Settlement,
    charging_nothing,
    statements,
)

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
AWAY_ERRORS = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    OSError,
    # Of a pooler between us and the database that was started anew.
    psycopg.errors.InvalidSqlStatementName,
)


@dataclass(slots=True, eq=False)
class _Opening:
    """`done` has its result once the row is committed; whoever cancels it has no use for the row any more."""

    row: OpenRow
    done: asyncio.Future[None]


class _Lot(NamedTuple):
    """What is written in one go; `sent` where that has begun."""

    openings: list[_Opening]
    settlements: list[Settlement]
    sent: asyncio.Future[None] | None = None


class Ledger:
    """The writer of one speech process, on one event loop. `owner_id` names the process in its rows."""

    def __init__(self, dsn: str) -> None:
        self.owner_id = uuid4()
        self._started_at = datetime.now(UTC)
        self._dsn = dsn
        self._connection: PreparedConnection | None = None
        self._sent: _Lot | None = None
        self._openings: list[_Opening] = []
        self._settlements: list[Settlement] = []
        self._flushes: list[asyncio.Future[None]] = []
        self._in_flight = 0
        self._wake = asyncio.Event()
        self._wake_later: asyncio.TimerHandle | None = None
        self._beat_due = True
        self._is_resting = False
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
        if not (self._in_flight == 1 and self._send_at_once()):
            self._wake.set()
        return opening.done

    def close(self, settlement: Settlement) -> None:
        """Queues a settlement; it waits in memory where the database is away.

        Nobody waits for it: it goes along with the next lot, or alone a little later.
        """
        self._settlements.append(settlement)
        self._in_flight = max(0, self._in_flight - 1)
        if self._stopping:
            self._wake.set()
        elif self._wake_later is None:
            self._wake_later = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle_now)

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
            self._is_resting = True
            await self._wake.wait()
            self._is_resting = False
            lot = await self._next_lot()
            if not (lot.openings or lot.settlements or self._beat_due):
                self._tell_flushed()
                continue
            try:
                await (lot.sent or self._write(lot))
            except AWAY_ERRORS as error:
                logger.warning("usage not written yet", error=type(error).__name__, rows=len(lot.settlements))
                self._put_back(lot.openings, lot.settlements)
                await self._disconnect()
                await asyncio.sleep(RETRY_SECONDS)
            except psycopg.Error as error:
                self._refuse(lot, error)
            else:
                self._confirm(lot.openings)
                self._tell_flushed()

    async def _next_lot(self) -> _Lot:
        if self._sent is not None:
            lot, self._sent = self._sent, None
            is_due = self._settlements and self._wake_later is None
            if not (is_due or self._openings or self._flushes or self._beat_due or self._stopping):
                self._wake.clear()
            return lot
        # With others in flight some will want the same in a moment; alone there is nobody to wait for.
        await asyncio.sleep(GATHER_SECONDS if self._in_flight > 1 else 0)
        self._rest()
        return self._take()

    def _send_at_once(self) -> bool:
        """Sends what is to be opened, where the writer rests; it is told of the end.

        What is to be closed waits for company: with it the statement would take twice as long.
        """
        connection = self._connection
        if connection is None or not (self._is_resting and self._sent is None and connection.is_idle):
            return False
        if self._beat_due or self._one_by_one or self._stopping:
            return False
        lot = _Lot([opening for opening in self._openings if not opening.done.done()], [])
        self._openings = []
        (statement,) = self._statements(lot)
        sent = connection.send(*statement)
        sent.add_done_callback(lambda _: self._wake.set())
        self._sent = lot._replace(sent=sent)
        return True

    def _tell_flushed(self) -> None:
        if self._settlements:
            return
        waiting, self._flushes = self._flushes, []
        for written in waiting:
            if not written.done():
                written.set_result(None)

    def _settle_now(self) -> None:
        self._wake_later = None
        self._wake.set()

    def _rest(self) -> None:
        self._wake.clear()
        if self._wake_later is not None:
            self._wake_later.cancel()
            self._wake_later = None

    def _take(self) -> _Lot:
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
        return _Lot(openings, settlements)

    def _put_back(self, openings: list[_Opening], settlements: list[Settlement]) -> None:
        if openings or settlements:
            self._openings = openings + self._openings
            self._settlements = settlements + self._settlements
            self._wake.set()

    def _statements(self, lot: _Lot) -> Iterator[tuple[Statement, dict[str, str]]]:
        return statements(self.owner_id, [opening.row for opening in lot.openings], lot.settlements)

    async def _write(self, lot: _Lot) -> None:
        """One statement, two where a stream broke, and before it the heartbeat when due.

        No row stands without an owner alive.
        """
        connection = self._connection
        if connection is None or connection.is_broken:
            await self._disconnect()
            connection = self._connection = await PreparedConnection.connect(
                self._dsn, STATEMENTS, timeout_seconds=CONNECT_SECONDS
            )
        if self._beat_due:
            await connection.send(HEARTBEAT, self._identity())
            self._beat_due = False
        for statement, values in self._statements(lot):
            await connection.send(statement, values)

    def _identity(self) -> dict[str, str]:
        return {
            "owner": str(self.owner_id),
            "hostname": socket.gethostname(),
            "pid": str(os.getpid()),
            "started_at": self._started_at.isoformat(),
        }

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _confirm(self, openings: Sequence[_Opening]) -> None:
        for opening in openings:
            if opening.done.done():
                self.close(charging_nothing(opening.row.id, NOT_ADMITTED))
            else:
                opening.done.set_result(None)

    def _refuse(self, lot: _Lot, error: psycopg.Error) -> None:
        """One row that the database will never take spoils a lot: each is tried alone, and that one given up.

        Its opening is refused; its settlement is replaced by one that charges nothing.
        """
        openings, settlements, _ = lot
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
