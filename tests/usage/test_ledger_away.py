"""PostgreSQL away: who asks waits two seconds at most, what was settled is written when it is back."""

from __future__ import annotations

import asyncio
import time

import pytest

from apps.core.errors import Unavailable
from apps.usage.ledger import OPEN_TIMEOUT_SECONDS
from tests.usage.ledgers import Books, settlement

pytestmark = pytest.mark.django_db


async def test_with_the_database_away_a_request_waits_two_seconds_and_is_told(books: Books) -> None:
    async with books.behind_a_wire() as (ledger, wire):
        await ledger.open(books.row())
        await wire.cut()
        started = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            await ledger.open(books.row())
        waited_seconds = time.monotonic() - started
    assert OPEN_TIMEOUT_SECONDS - 0.1 <= waited_seconds < OPEN_TIMEOUT_SECONDS + 1
    assert refused.value.code == "database_away"
    assert int(refused.value.headers["Retry-After"]) >= 1


async def test_what_was_settled_meanwhile_is_written_when_it_is_back(books: Books) -> None:
    async with books.behind_a_wire() as (ledger, wire):
        rows = [books.row() for _ in range(3)]
        await asyncio.gather(*map(ledger.open, rows))
        await wire.cut()
        for number, row in enumerate(rows):
            ledger.close(settlement(row, characters_charged=number))
        late = books.row()
        opening = asyncio.ensure_future(ledger.open(late))
        await asyncio.sleep(0.5)
        assert {row["state"] for row in (await books.written()).values()} == {"open"}
        await wire.mend()
        await opening
        await ledger.stop()
        written = await books.written()
    assert [written[row.id]["characters_charged"] for row in rows] == [0, 1, 2]
    assert {written[row.id]["state"] for row in rows} == {"ok"}
    assert written[late.id]["state"] == "open"


async def test_requests_that_gave_up_are_not_written_afterwards(books: Books) -> None:
    async with books.behind_a_wire() as (ledger, wire):
        await ledger.open(books.row())
        await wire.cut()
        given_up = books.row()
        opening = asyncio.ensure_future(ledger.open(given_up))
        await asyncio.sleep(0.1)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await wire.mend()
        await ledger.open(books.row())
        assert given_up.id not in await books.written()


async def test_a_connection_that_was_ended_is_replaced_unnoticed(books: Books) -> None:
    ledger = await books.ledger(f"{books.conninfo} application_name=ended-{books.organization_id.hex[:8]}")
    await ledger.open(books.row())
    ended = await books.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
        f"ended-{books.organization_id.hex[:8]}",
    )
    assert ended
    row = books.row()
    await ledger.open(row)
    ledger.close(settlement(row))
    await ledger.stop()
    assert (await books.written())[row.id]["state"] == "ok"


async def test_stopping_does_not_wait_for_a_database_that_is_away(books: Books) -> None:
    async with books.behind_a_wire() as (ledger, wire):
        row = books.row()
        await ledger.open(row)
        await wire.cut()
        ledger.close(settlement(row))
        started = time.monotonic()
        await ledger.stop(timeout_seconds=0.5)
        assert time.monotonic() - started < 2
    assert (await books.written())[row.id]["state"] == "open"
