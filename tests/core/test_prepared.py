"""Prepared statements on a connection of their own: committed, refused alone, and broken for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from apps.core.prepared import PreparedConnection, Statement
from apps.tts.runtime import database_conninfo
from tests.cuttable import Cuttable, cuttable

# Rows are written and read on connections of the test's own, beside Django's.
pytestmark = pytest.mark.django_db

INSERT = Statement.named(
    "prepared_insert",
    "INSERT INTO prepared_test (number, text) SELECT number, %(text)s::text"
    " FROM json_to_recordset(%(rows)s::json) AS row (number int) WHERE %(text)s::text <> 'none'",
)
SLEEP = Statement.named("prepared_sleep", "SELECT pg_sleep(%(seconds)s::float)")


async def execute(query: str, *parameters: Any) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(database_conninfo(), autocommit=True) as connection:
        cursor = await connection.execute(query, parameters)
        return await cursor.fetchall() if cursor.description else []


async def written() -> list[tuple[int, str]]:
    return await execute("SELECT number, text FROM prepared_test ORDER BY number")


@asynccontextmanager
async def connected(conninfo: str = "") -> AsyncIterator[PreparedConnection]:
    made = await PreparedConnection.connect(
        conninfo or database_conninfo(), [INSERT, SLEEP], timeout_seconds=2
    )
    try:
        yield made
    finally:
        await made.close()


@pytest_asyncio.fixture(autouse=True)
async def table() -> AsyncIterator[None]:
    await execute("CREATE TABLE prepared_test (number int PRIMARY KEY, text varchar(8) NOT NULL)")
    yield
    await execute("DROP TABLE prepared_test")


@asynccontextmanager
async def behind_a_wire() -> AsyncIterator[tuple[PreparedConnection, Cuttable]]:
    parts = conninfo_to_dict(database_conninfo())
    host, port = str(parts.get("host") or "127.0.0.1"), int(str(parts.get("port") or 5432))
    address = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else host
    async with (
        cuttable(address, port) as wire,
        connected(make_conninfo(database_conninfo(), host="127.0.0.1", port=wire.port)) as connection,
    ):
        yield connection, wire


def rows(*numbers: int) -> str:
    return "[" + ", ".join(f'{{"number": {number}}}' for number in numbers) + "]"


def test_placeholders_are_numbered_in_the_order_of_their_first_use() -> None:
    assert INSERT.parameters == ("text", "rows")
    assert b"SELECT number, $1::text FROM json_to_recordset($2::json)" in INSERT.sql
    assert b"WHERE $1::text <> 'none'" in INSERT.sql


async def test_what_is_done_is_committed() -> None:
    async with connected() as connection:
        await connection.send(INSERT, {"rows": rows(1, 2), "text": "ここ"})
        await connection.send(INSERT, {"rows": rows(3), "text": "it's"})
        assert await written() == [(1, "ここ"), (2, "ここ"), (3, "it's")]


async def test_one_statement_at_a_time() -> None:
    async with connected() as connection:
        running = connection.send(SLEEP, {"seconds": "0.05"})
        assert not connection.is_idle
        with pytest.raises(psycopg.ProgrammingError):
            connection.send(SLEEP, {"seconds": "0"})
        await running
        assert connection.is_idle


async def test_what_the_database_refuses_is_named_and_spoils_nothing_after_it() -> None:
    async with connected() as connection:
        await connection.send(INSERT, {"rows": rows(1), "text": "a"})
        with pytest.raises(psycopg.errors.UniqueViolation, match="prepared_test_pkey"):
            await connection.send(INSERT, {"rows": rows(2, 1), "text": "b"})
        with pytest.raises(psycopg.errors.StringDataRightTruncation):
            await connection.send(INSERT, {"rows": rows(4), "text": "far too long"})
        await connection.send(INSERT, {"rows": rows(3), "text": "c"})
        assert await written() == [(1, "a"), (3, "c")]


async def test_more_than_a_socket_takes_at_once() -> None:
    async with connected() as connection:
        await connection.send(INSERT, {"rows": rows(*range(400_000)), "text": "none"})
        await connection.send(INSERT, {"rows": rows(*range(400_000)), "text": "many"})
    assert (await execute("SELECT count(*) FROM prepared_test"))[0][0] == 400_000


async def test_who_leaves_meanwhile_does_not_disturb_the_next() -> None:
    async with connected() as connection:
        running = connection.send(SLEEP, {"seconds": "0.05"})
        running.cancel()
        assert not connection.is_idle
        while not connection.is_idle:  # noqa: ASYNC110 - what is asked
            await asyncio.sleep(0.01)
        await connection.send(INSERT, {"rows": rows(1), "text": "a"})
        assert await written() == [(1, "a")]


async def test_a_connection_that_breaks_fails_what_runs_and_stays_broken() -> None:
    async with behind_a_wire() as (connection, wire):
        running = connection.send(SLEEP, {"seconds": "5"})
        await asyncio.sleep(0.02)
        await wire.cut()
        with pytest.raises(psycopg.OperationalError):
            await running
        assert connection.is_broken
        with pytest.raises(psycopg.OperationalError):
            connection.send(SLEEP, {"seconds": "0"})


async def test_a_connection_that_breaks_while_idle_is_known_before_it_is_used() -> None:
    async with behind_a_wire() as (connection, wire):
        await wire.cut()
        async with asyncio.timeout(5):
            while not connection.is_broken:  # noqa: ASYNC110 - what is asked
                await asyncio.sleep(0.01)
        assert not connection.is_idle


async def test_a_backend_that_is_ended_fails_what_runs() -> None:
    async with connected() as connection:
        running = connection.send(SLEEP, {"seconds": "5"})
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE %s"
        while not running.done():  # it may not have begun
            await execute(query, "SELECT pg_sleep($1%")
            await asyncio.sleep(0.02)
        with pytest.raises(psycopg.OperationalError):
            await running
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while not connection.is_broken:  # noqa: ASYNC110 - what is asked
                    await asyncio.sleep(0.01)
        assert connection.is_broken


async def test_closing_fails_what_runs() -> None:
    async with connected() as connection:
        running = connection.send(SLEEP, {"seconds": "5"})
        await connection.close()
        with pytest.raises(psycopg.OperationalError, match="was closed"):
            await running


async def test_a_statement_that_cannot_be_prepared_says_so() -> None:
    wrong = Statement.named("prepared_wrong", "SELECT nothing FROM nowhere")
    with pytest.raises(psycopg.errors.UndefinedTable):
        await PreparedConnection.connect(database_conninfo(), [wrong], timeout_seconds=2)
