"""The group commit: rows are opened and closed in lots, truly committed, and nothing blocks the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from apps.core.errors import Unavailable
from apps.usage.ledger import Ledger
from tests.usage.ledgers import Books, settlement

# Rows are written and read on connections of the ledger's and the test's own, beside Django's.
pytestmark = pytest.mark.django_db


async def until(ask: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await ask():  # noqa: ASYNC110 - nobody tells when another process commits
            await asyncio.sleep(0.02)


async def statements_of(books: Books, ledger: Ledger) -> int:
    """How many transactions have touched rows of the ledger's organization: distinct inserting ones."""
    found = await books.execute(
        "SELECT count(DISTINCT xmin::text) FROM usage_usagerecord WHERE organization_id = %s",
        books.organization_id,
    )
    return int(found[0][0])


async def test_a_row_is_committed_when_open_returns(books: Books) -> None:
    ledger = await books.ledger()
    key_id = uuid4()
    row = books.row(key_id=key_id, request_id="order-4711", mode="test", surface="playground", characters=7)
    await ledger.open(row)
    written = (await books.written())[row.id]
    assert (written["state"], written["owner_id"]) == ("open", ledger.owner_id)
    assert (written["request_id"], written["key_id"]) == ("order-4711", key_id)
    assert (written["mode"], written["surface"], written["characters"]) == ("test", "playground", 7)
    assert (written["characters_charged"], written["closed_at"]) == (0, None)


async def test_a_process_has_a_heartbeat_before_its_first_row(books: Books) -> None:
    ledger = await books.ledger()
    await ledger.open(books.row())
    beats = await books.execute(
        "SELECT pid, now() - heartbeat_at < interval '5 s' FROM usage_speechprocess WHERE id = %s",
        ledger.owner_id,
    )
    assert len(beats) == 1
    assert beats[0][1] is True


async def test_what_is_closed_says_how_it_ended(books: Books) -> None:
    ledger = await books.ledger()
    row, deployment_id = books.row(), uuid4()
    await ledger.open(row)
    ledger.close(
        settlement(
            row, state="cut", deployment_id=deployment_id, characters_charged=4, error_code="worker_gone"
        )
    )
    await ledger.stop()
    written = (await books.written())[row.id]
    assert (written["state"], written["error_code"]) == ("cut", "worker_gone")
    assert (written["characters_charged"], written["deployment_id"]) == (4, deployment_id)
    assert (written["audio_ms"], written["engine_ms"]) == (600, 20)
    assert (written["ttfb_ms"], written["total_ms"]) == (12.5, 40.0)
    assert written["closed_at"] is not None


async def test_many_at_once_share_a_few_commits(books: Books) -> None:
    ledger = await books.ledger()
    await ledger.open(books.row())
    rows = [books.row(request_id=f"req_{n}") for n in range(300)]
    await asyncio.gather(*(ledger.open(row) for row in rows))
    written = await books.written()
    assert {row.id for row in rows} <= set(written)
    assert await statements_of(books, ledger) < 30
    for row in rows:
        ledger.close(settlement(row))
    await ledger.stop()
    states = [row["state"] for row in (await books.written()).values()]
    assert states.count("ok") == 300


async def test_a_settlement_of_a_row_that_was_never_opened_does_nothing(books: Books) -> None:
    ledger = await books.ledger()
    ledger.close(settlement(books.row()))
    await ledger.stop()
    assert await books.written() == {}


async def test_a_row_is_closed_once(books: Books) -> None:
    ledger = await books.ledger()
    row = books.row()
    await ledger.open(row)
    ledger.close(settlement(row, state="cancelled", characters_charged=3))
    await until(lambda: _is(books, row.id, "cancelled"))
    ledger.close(settlement(row, state="ok", characters_charged=10))
    await ledger.stop()
    assert (await books.written())[row.id]["characters_charged"] == 3


async def test_opened_and_closed_in_one_breath(books: Books) -> None:
    ledger = await books.ledger()
    row = books.row()
    opening = asyncio.ensure_future(ledger.open(row))
    await asyncio.sleep(0)
    ledger.close(settlement(row))
    await opening
    await ledger.stop()
    assert (await books.written())[row.id]["state"] == "ok"


async def test_who_leaves_while_a_row_is_being_opened_leaves_none_open(books: Books) -> None:
    ledger = await books.ledger()
    for number in range(30):
        row = books.row()
        opening = asyncio.ensure_future(ledger.open(row))
        await asyncio.sleep(number * 0.0003)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        ledger.close(settlement(row, state="cancelled", characters_charged=0, error_code="client_left"))
    await ledger.stop()
    ends = {(row["state"], row["error_code"]) for row in (await books.written()).values()}
    assert ("cancelled", "client_left") in ends
    assert ends <= {("cancelled", "client_left"), ("failed", "not_admitted")}


async def test_an_opening_that_nobody_waits_for_any_more_is_closed(books: Books) -> None:
    async with books.behind_a_wire() as (ledger, wire):
        await ledger.open(books.row())
        wire.stall()
        row = books.row()
        opening = asyncio.ensure_future(ledger.open(row))
        await asyncio.sleep(0)
        await until(lambda: _true(ledger.pending == 0))
        opening.cancel()
        wire.resume()
        await until(lambda: _is(books, row.id, "failed"))
        assert (await books.written())[row.id]["error_code"] == "not_admitted"


async def test_a_row_the_database_will_not_take_does_not_block_the_others(books: Books) -> None:
    ledger = await books.ledger()
    poison = books.row(model="m" * 81)
    good = [books.row() for _ in range(5)]
    answers = await asyncio.gather(
        ledger.open(good[0]), ledger.open(poison), *map(ledger.open, good[1:]), return_exceptions=True
    )
    assert isinstance(answers.pop(1), Unavailable)
    assert answers == [None] * 5
    assert set(await books.written()) == {row.id for row in good}


async def test_a_settlement_the_database_will_not_take_does_not_keep_others_open(books: Books) -> None:
    ledger = await books.ledger()
    rows = [books.row() for _ in range(3)]
    await asyncio.gather(*map(ledger.open, rows))
    ledger.close(settlement(rows[0]))
    ledger.close(settlement(rows[1], characters_charged=11))
    ledger.close(settlement(rows[2]))
    late = books.row()
    await ledger.open(late)
    ledger.close(settlement(late))
    await ledger.stop()
    written = await books.written()
    assert {written[row.id]["state"] for row in (rows[0], rows[2], late)} == {"ok"}
    assert (written[rows[1].id]["state"], written[rows[1].id]["characters_charged"]) == ("failed", 0)


async def _true(value: bool) -> bool:
    return value


async def _is(books: Books, record_id: object, state: str) -> bool:
    return any(row["id"] == record_id and row["state"] == state for row in (await books.written()).values())
