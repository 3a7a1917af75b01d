"""Leases on their way back: along with the next admission, by themselves, at once; none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from apps.usage.leases import RedisAway
from tests.redises import redis_behind_a_wire
from tests.usage.doors import Door, door_to

FOREVER = 3600.0


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    """Nothing goes back by itself."""
    async with door_to(return_seconds=FOREVER) as opened:
        yield opened


async def none_in_flight(door: Door) -> None:
    async with asyncio.timeout(2):
        while await door.in_flight():  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.005)


async def test_what_ended_goes_back_with_the_next_admission_and_counts_no_more(door: Door) -> None:
    await door.leases.rebase(door.place(), used=0)
    for charged in (3, 4):
        verdict = await door.ask(at_once=9, per_month=100, characters=10)
        door.leases.settle(door.asked[-1], charged=charged)
        assert await door.in_flight() == 1
    (here,) = verdict.figures
    assert (here.in_flight, here.used, here.reserved) == (1, 3, 10)
    (here,) = (await door.ask(at_once=9, per_month=100, characters=10)).figures
    assert (here.in_flight, here.used, here.reserved) == (1, 7, 10)


async def test_a_refusal_takes_back_what_ended_too(door: Door) -> None:
    await door.ask(rate=1)
    door.leases.settle(door.asked[0], charged=0)
    assert (await door.ask(rate=1)).word == "rate"
    assert await door.in_flight() == 0


async def test_of_both_places_of_a_key(door: Door) -> None:
    await door.leases.rebase(door.keys_place, used=0)
    await door.ask(own=(0, 9, 50), characters=10)
    door.leases.settle(door.asked[0], charged=10)
    first, second = (await door.ask(own=(0, 9, 50), characters=10)).figures
    assert (first.in_flight, second.in_flight, second.used, second.reserved) == (1, 1, 10, 10)


async def test_others_are_not_made_to_wait_where_it_is_crowded(door: Door) -> None:
    await door.ask(at_once=3)
    await door.ask(at_once=3)
    door.leases.settle(door.asked[0], charged=0)
    await asyncio.sleep(0.1)
    assert await door.in_flight() == 2
    door.leases.settle(door.asked[1], charged=0)
    await none_in_flight(door)


async def test_without_another_admission_it_goes_by_itself() -> None:
    async with door_to() as door:
        await door.ask(at_once=9)
        door.leases.settle(door.asked[0], charged=0)
        await none_in_flight(door)


async def test_what_went_along_with_who_left_goes_back_and_the_month_is_read_anew() -> None:
    async with redis_behind_a_wire() as (url, wire), door_to(url, return_seconds=FOREVER) as door:
        await door.leases.rebase(door.place(), used=0)
        await door.ask(at_once=9, per_month=100, characters=10)
        door.leases.settle(door.asked[0], charged=10)
        wire.stall()
        asking = asyncio.create_task(door.ask(at_once=9, per_month=100))
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        wire.resume()
        assert (await door.ask(at_once=9, per_month=100)).word == "rehydrate"
        await none_in_flight(door)


async def test_what_went_along_while_redis_was_away_goes_back_when_it_is_there() -> None:
    async with redis_behind_a_wire() as (url, wire), door_to(url, return_seconds=FOREVER) as door:
        await door.leases.rebase(door.place(), used=0)
        await door.ask(at_once=9, per_month=100, characters=10)
        door.leases.settle(door.asked[0], charged=10)
        await wire.cut()
        with pytest.raises(RedisAway):
            await door.ask(at_once=9, per_month=100)
        await wire.mend()
        assert (await door.ask(at_once=9, per_month=100)).word == "rehydrate"
        assert await door.in_flight() == 0
