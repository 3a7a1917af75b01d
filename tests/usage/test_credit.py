"""The retry of what was cut is credited with what the cut was charged: once, and never with more."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from apps.usage.ledger import Ledger
from apps.usage.statements import OpenRow
from tests.usage.ledgers import Books, settlement

pytestmark = pytest.mark.django_db

KEY, BODY = uuid.uuid4(), uuid.uuid4()


class Shop:
    """Requests of one key for one body of 10 characters, unless said otherwise."""

    def __init__(self, books: Books, ledger: Ledger) -> None:
        self.books, self.ledger = books, ledger

    async def begin(self, **fields: Any) -> OpenRow:
        row = self.books.row(**{"key_id": KEY, "body_hash": BODY} | fields)
        await self.ledger.open(row)
        return row

    async def end(self, row: OpenRow, state: str, characters: int, ledger: Ledger | None = None) -> None:
        (ledger or self.ledger).close(settlement(row, state=state, characters_charged=characters))
        async with asyncio.timeout(5):
            while (await self.books.written())[row.id]["state"] == "open":  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def request(self, state: str, characters: int, **fields: Any) -> OpenRow:
        row = await self.begin(**fields)
        await self.end(row, state, characters)
        return row

    async def bill(self, *rows: OpenRow) -> list[tuple[int, int]]:
        """What each was charged and credited."""
        found = await self.books.written()
        return [(found[row.id]["characters_charged"], found[row.id]["characters_credited"]) for row in rows]

    async def used_by(self, row: OpenRow) -> object:
        return (await self.books.written())[row.id]["credited_to"]

    async def age(self, row: OpenRow, *, seconds: float) -> None:
        """As if it had been cut that much earlier."""
        query = "UPDATE usage_usagerecord SET closed_at = closed_at - make_interval(secs => %s) WHERE id = %s"
        await self.books.execute(query, seconds, row.id)


@pytest.fixture
async def shop(books: Books) -> Shop:
    return Shop(books, await books.ledger())


async def test_a_retry_pays_what_the_cut_has_not_paid(shop: Shop) -> None:
    cut = await shop.request("cut", 4)
    retry = await shop.request("ok", 10)
    assert await shop.bill(cut, retry) == [(4, 0), (6, 4)]
    assert await shop.used_by(cut) == retry.id
    assert await shop.used_by(retry) is None


async def test_a_second_retry_pays_in_full(shop: Shop) -> None:
    await shop.request("cut", 4)
    await shop.request("ok", 10)
    assert await shop.bill(await shop.request("ok", 10)) == [(10, 0)]


@pytest.mark.parametrize(
    ("cuts", "billed"),
    [
        ([4, 6], [(4, 0), (2, 4), (4, 6)]),
        ([4, 3], [(4, 0), (0, 4), (6, 4)]),
        ([4, 0, 7], [(4, 0), (0, 0), (3, 4), (3, 7)]),
        ([10], [(10, 0), (0, 10)]),
    ],
)
async def test_each_character_is_paid_once_however_often_it_breaks(
    shop: Shop, cuts: list[int], billed: list[tuple[int, int]]
) -> None:
    rows = [await shop.request("cut", characters) for characters in cuts]
    rows.append(await shop.request("ok", 10))
    assert await shop.bill(*rows) == billed
    assert sum(charged for charged, _ in billed) == 10


async def test_two_cuts_at_once_are_both_credited(shop: Shop) -> None:
    first, second = await shop.begin(), await shop.begin()
    shop.ledger.close(settlement(first, state="cut", characters_charged=3))
    await shop.end(second, "cut", 5)
    assert await shop.bill(await shop.request("ok", 10)) == [(2, 8)]
    assert await shop.bill(first, second) == [(3, 0), (5, 0)]


async def test_never_more_than_the_retry_comes_to(shop: Shop) -> None:
    cut = await shop.request("cut", 9)
    assert await shop.bill(await shop.request("cancelled", 2)) == [(0, 2)]
    assert await shop.used_by(cut) is not None
    assert await shop.bill(await shop.request("ok", 10)) == [(10, 0)]


@pytest.mark.parametrize("state", ["failed", "cancelled", "cut"])
async def test_a_retry_that_comes_to_nothing_uses_nothing_up(shop: Shop, state: str) -> None:
    cut = await shop.request("cut", 4)
    assert await shop.bill(await shop.request(state, 0)) == [(0, 0)]
    assert await shop.used_by(cut) is None
    assert await shop.bill(await shop.request("ok", 10)) == [(6, 4)]


@pytest.mark.parametrize("state", ["ok", "cancelled", "failed"])
async def test_what_was_not_cut_is_no_credit(shop: Shop, state: str) -> None:
    await shop.request(state, 4)
    assert await shop.bill(await shop.request("ok", 10)) == [(10, 0)]


@pytest.mark.parametrize(
    "fields",
    [{"key_id": uuid.uuid4()}, {"body_hash": uuid.uuid4()}, {"body_hash": None}, {"key_id": None}],
    ids=["another key", "another body", "no body known", "the playground"],
)
async def test_another_request_is_no_retry(shop: Shop, fields: dict[str, Any]) -> None:
    cut = await shop.request("cut", 4)
    assert await shop.bill(await shop.request("ok", 10, **fields)) == [(10, 0)]
    assert await shop.used_by(cut) is None


async def test_what_nobody_can_tell_apart_is_no_credit(shop: Shop) -> None:
    for fields in ({"key_id": None}, {"body_hash": None}):
        await shop.request("cut", 4, **fields)
        assert await shop.bill(await shop.request("ok", 10, **fields)) == [(10, 0)]


@pytest.mark.parametrize(("seconds", "billed"), [(57, (6, 4)), (63, (10, 0))])
async def test_a_retry_begins_within_a_minute(shop: Shop, seconds: float, billed: tuple[int, int]) -> None:
    cut = await shop.request("cut", 4)
    await shop.age(cut, seconds=seconds)
    assert await shop.bill(await shop.request("ok", 10)) == [billed]


async def test_a_long_retry_is_credited_although_the_minute_is_over_when_it_ends(shop: Shop) -> None:
    cut = await shop.request("cut", 4)
    await shop.age(cut, seconds=50)
    retry = await shop.begin()
    await shop.age(cut, seconds=5)
    await shop.end(retry, "ok", 10)
    assert await shop.bill(retry) == [(6, 4)]


async def test_what_ran_beside_it_is_no_retry(shop: Shop) -> None:
    beside = await shop.begin()
    cut = await shop.request("cut", 4)
    assert cut.id > beside.id
    await shop.end(beside, "ok", 10)
    assert await shop.bill(beside) == [(10, 0)]
    other = await shop.begin()
    await shop.age(cut, seconds=-6)  # cut while the other ran
    await shop.end(other, "ok", 10)
    assert await shop.bill(other) == [(10, 0)]


async def test_two_retries_in_one_lot_share_nothing(shop: Shop) -> None:
    cut = await shop.request("cut", 4)
    retries = [await shop.begin(), await shop.begin()]
    for retry in retries:
        shop.ledger.close(settlement(retry, characters_charged=10))
    await shop.ledger.stop()
    assert sorted(await shop.bill(*retries)) == [(6, 4), (10, 0)]
    assert await shop.used_by(cut) in {retry.id for retry in retries}


async def test_a_cut_and_its_retry_in_one_lot(shop: Shop) -> None:
    rows = [await shop.begin() for _ in range(3)]
    for row, state, characters in zip(rows, ("cut", "cut", "ok"), (4, 6, 10), strict=True):
        shop.ledger.close(settlement(row, state=state, characters_charged=characters))
    await shop.ledger.stop()
    assert await shop.bill(*rows) == [(4, 0), (6, 0), (0, 10)]


async def test_two_processes_credit_one_cut_once(shop: Shop) -> None:
    ledgers = [shop.ledger, await shop.books.ledger()]
    for _ in range(20):
        body = uuid.uuid4()
        await shop.request("cut", 4, body_hash=body)
        retries = [await shop.begin(body_hash=body) for _ in ledgers]
        await asyncio.gather(
            *(shop.end(retry, "ok", 10, ledger) for retry, ledger in zip(retries, ledgers, strict=True))
        )
        assert sorted(await shop.bill(*retries)) == [(6, 4), (10, 0)]


async def test_a_retry_waits_for_another_that_is_being_settled(shop: Shop) -> None:
    """What another process has begun to credit, and then does not, is not lost."""
    cut, retry = await shop.request("cut", 4), await shop.begin()
    async with await shop.books.connect() as other:
        await other.execute(
            "UPDATE usage_usagerecord SET credited_to = %s WHERE id = %s", [uuid.uuid4(), cut.id]
        )
        ending = asyncio.create_task(shop.end(retry, "ok", 10))
        await asyncio.sleep(0.3)
        assert not ending.done()
        await other.rollback()
    await ending
    assert await shop.bill(retry) == [(6, 4)]


async def test_a_row_that_was_closed_meanwhile_uses_up_no_credit(shop: Shop) -> None:
    """As the reconciler closes those of a process that it takes for dead."""
    cut, retry = await shop.request("cut", 4), await shop.begin()
    close = "UPDATE usage_usagerecord SET state = 'cut', closed_at = now() WHERE id = %s"
    async with await shop.books.connect() as reconciler:
        await reconciler.execute(close, [retry.id])
        shop.ledger.close(settlement(retry, characters_charged=10))
        await asyncio.sleep(0.3)
        await reconciler.commit()
    await shop.ledger.stop()
    assert await shop.bill(retry) == [(0, 0)]
    assert await shop.used_by(cut) is None


async def test_the_credit_is_found_by_its_index_in_the_partitions_of_its_time(shop: Shop) -> None:
    """However many requests there are: nothing else of the table is read."""
    rows = await shop.books.execute(
        "SELECT count(*), count(*) FILTER (WHERE indexdef LIKE '%%(state)::text = ''cut''%%')"
        " FROM pg_indexes WHERE tablename LIKE 'usage_usagerecord\\_%%' AND indexdef LIKE '%%body_hash%%'"
    )
    partitions = await shop.books.execute(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'usage_usagerecord'::regclass"
    )
    assert rows[0][0] == rows[0][1] == partitions[0][0]
