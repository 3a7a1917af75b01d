"""A connection to PostgreSQL for few statements that are asked all day, at the least cost a statement.

psycopg's cursors adapt, plan, time and wait anew for each statement; here each is prepared once, parameters
are text, and the event loop is told of the socket once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import psycopg
from psycopg import pq

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_FAILED: Final = frozenset({pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE})


class Statement(NamedTuple):
    """What is prepared: SQL with $1 and so on, and the names of its parameters in this order."""

    name: bytes
    sql: bytes
    parameters: tuple[str, ...]

    @classmethod
    def named(cls, name: str, sql: str) -> Statement:
        """Of SQL with placeholders such as `%(first)s`."""
        parameters = tuple(dict.fromkeys(_PLACEHOLDER.findall(sql)))
        numbered = _PLACEHOLDER.sub(lambda found: f"${parameters.index(found[1]) + 1}", sql)
        return cls(name.encode(), numbered.encode(), parameters)


class PreparedConnection:
    """Runs one statement at a time, each in a transaction of its own; what it answers is thrown away.

    Belongs to one event loop. Where it breaks, whatever runs then and is asked for later fails with
    `psycopg.OperationalError`: make another.
    """

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self._pq = connection.pgconn
        self._socket = self._pq.socket
        self._loop = asyncio.get_running_loop()
        self._running: asyncio.Future[None] | None = None
        self._error: psycopg.Error | None = None
        self._broken: Exception | None = None
        self._is_writing = False
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def connect(cls, dsn: str, statements: Sequence[Statement], *, timeout_seconds: int) -> Self:
        """With these statements prepared. Raises `psycopg.Error`."""
        connection = await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, connect_timeout=timeout_seconds
        )
        made = cls(connection)
        try:
            for statement in statements:
                await made._prepare(statement)
        except BaseException:
            await made.close()
            raise
        return made

    @property
    def is_idle(self) -> bool:
        """Whether a statement may be sent now."""
        return self._running is None and self._broken is None

    @property
    def is_broken(self) -> bool:
        """For good."""
        return self._broken is not None

    def send(self, statement: Statement, values: dict[str, str]) -> asyncio.Future[None]:
        """Sends it before it returns; done when it is committed, or failed with `psycopg.Error`."""
        parameters = [values[name].encode() for name in statement.parameters]
        running = self._begin()
        try:
            self._pq.send_query_prepared(statement.name, parameters)
            self._flush()
        except psycopg.OperationalError as error:
            self._break(error)
        return running

    async def close(self) -> None:
        """Also while a statement runs: whether it is committed is not known then."""
        self._break(psycopg.OperationalError("the connection was closed"))
        await self._connection.close()

    async def _prepare(self, statement: Statement) -> None:
        running = self._begin()
        self._pq.send_prepare(statement.name, statement.sql)
        self._flush()
        await running

    def _begin(self) -> asyncio.Future[None]:
        if self._broken is not None:
            raise psycopg.OperationalError(str(self._broken))
        if self._running is not None:
            raise psycopg.ProgrammingError("a statement is running")
        self._running = self._loop.create_future()
        return self._running

    def _flush(self) -> None:
        """Hands libpq's buffer to the socket, what does not fit when there is room again."""
        is_left = self._pq.flush() != 0
        if is_left and not self._is_writing:
            self._loop.add_writer(self._socket, self._write)
        elif self._is_writing and not is_left:
            self._loop.remove_writer(self._socket)
        self._is_writing = is_left

    def _write(self) -> None:
        try:
            self._flush()
        except psycopg.OperationalError as error:
            self._break(error)

    def _read(self) -> None:
        try:
            self._pq.consume_input()
            while not self._pq.is_busy():
                result = self._pq.get_result()
                if result is None:
                    self._end()
                    return
                if result.status in _FAILED:
                    self._error = psycopg.errors.error_from_result(result)
        except psycopg.OperationalError as error:
            self._break(error)

    def _end(self) -> None:
        running, error = self._running, self._error
        self._running = self._error = None
        if self._pq.status == pq.ConnStatus.BAD:
            self._break(error or psycopg.OperationalError("the connection is lost"))
        if running is None or running.done():
            return
        if error is None:
            running.set_result(None)
        else:
            running.set_exception(error)

    def _break(self, error: psycopg.Error) -> None:
        if self._broken is None:
            self._broken = error
            self._loop.remove_reader(self._socket)
            if self._is_writing:
                self._loop.remove_writer(self._socket)
        running, self._running = self._running, None
        if running is not None and not running.done():
            running.set_exception(error)
            running.exception()  # whoever waited for it may have left
