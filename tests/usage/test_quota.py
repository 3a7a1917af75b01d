"""Characters of a month in Redis: reserved by what runs, counted at its end, lapsed, forgotten, read anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from apps.usage.leases import QUOTA_SECONDS, RedisAway
from apps.usage.places import Bound, Lease
from tests.redises import redis_behind_a_wire
from tests.usage.doors import Door, door_to


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    async with door_to() as opened:
        yield opened


async def test_where_nothing_limits_a_month_no_counter_is_touched(door: Door) -> None:
    await door.ask(per_month=0)
    await door.settle(door.asked[0], charged=10)
    keys = await door.redis.keys(f"{{{door.organization_id}}}*")
    assert [key for key in keys if b":quota:" in key or b":reserved:" in key] == []


async def test_a_counter_that_is_missing_is_asked_for_and_nothing_is_taken(door: Door) -> None:
    asked = await door.ask(per_month=100)
    assert (asked.word, asked.refusing, asked.figures[0].used) == ("rehydrate", 0, -1)
    assert await door.in_flight() == 0
    assert (await door.ask(per_month=0, own=(0, 0, 50))).refusing == 1


async def test_what_runs_is_reserved_and_what_ends_is_counted(door: Door) -> None:
    await door.leases.rebase(door.place(), used=30)
    verdict = await door.ask(per_month=100, characters=25)
    assert (verdict.word, verdict.figures[0].used, verdict.figures[0].reserved) == ("ok", 30, 25)
    await door.ask(per_month=100, characters=45)
    refused = await door.ask(per_month=100, characters=1)
    assert (refused.word, refused.refusing) == ("quota", 0)
    assert await door.in_flight() == 2
    await door.settle(door.asked[0], charged=5)
    assert await door.count() == (35, 45)
    assert (await door.ask(per_month=100, characters=20)).word == "ok"
    assert (await door.ask(per_month=100, characters=1)).word == "quota"


async def test_a_refusal_for_the_quota_costs_no_rate(door: Door) -> None:
    await door.leases.rebase(door.place(), used=100)
    for _ in range(3):
        refused = await door.ask(rate=10, per_month=100)
        assert (refused.word, refused.figures[0].requests_left) == ("quota", 10)


async def test_many_at_once_reserve_no_more_than_there_is(door: Door) -> None:
    await door.leases.rebase(door.place(), used=0)
    verdicts = await asyncio.gather(*(door.ask(per_month=100, at_once=50, characters=15) for _ in range(30)))
    assert [verdict.word for verdict in verdicts].count("ok") == 6
    assert await door.count() == (0, 90)


async def test_a_key_and_its_organization_are_counted_apart(door: Door) -> None:
    for place in (door.place(), door.keys_place):
        await door.leases.rebase(place, used=0)
    await door.ask(per_month=100, own=(0, 0, 40), characters=30)
    refused = await door.ask(per_month=100, own=(0, 0, 40), characters=30)
    assert (refused.word, refused.refusing) == ("quota", 1)
    assert await door.count() == (0, 30)
    assert (await door.ask(per_month=100, characters=30)).word == "ok"
    await door.settle(door.asked[0], charged=30)
    assert (await door.count(), await door.count(door.keys_place)) == ((30, 30), (30, 0))


async def test_a_key_that_alone_is_limited_touches_no_counter_of_its_organization(door: Door) -> None:
    await door.leases.rebase(door.keys_place, used=0)
    assert (await door.ask(own=(0, 0, 40), characters=30)).word == "ok"
    await door.settle(door.asked[0], charged=30)
    assert await door.count(door.keys_place) == (30, 0)
    assert not await door.redis.exists(door.place().quota, door.place().reservations)


async def test_what_nobody_renews_reserves_nothing(door: Door) -> None:
    """As after a process was killed."""
    await door.leases.rebase(door.place(), used=10)
    await door.ask(per_month=100, characters=60)
    await door.lapse()
    await door.ask(per_month=100, characters=70)
    assert await door.count() == (10, 70)


async def test_reservations_that_redis_dropped_with_their_key_are_not_summed_any_more(door: Door) -> None:
    await door.leases.rebase(door.place(), used=10)
    await door.ask(per_month=100, characters=60)
    assert 28_000 < await door.redis.pttl(door.place().reservations) <= 30_000
    await door.redis.delete(door.place().reservations, door.place().leases)
    await door.ask(per_month=100, characters=70)
    assert await door.count() == (10, 70)


async def test_a_renewal_keeps_a_reservation_and_counts_it_once(door: Door) -> None:
    await door.leases.rebase(door.place(), used=0)
    await door.ask(per_month=100, characters=60)
    await door.redis.zadd(door.place().reservations, {f"{door.asked[0].id}:60": time.time() * 1000 + 500})
    await door.leases._renew(door.place())
    assert await door.count() == (0, 60)
    ((_, lapses),) = await door.redis.zrange(door.place().reservations, 0, -1, withscores=True)
    assert lapses > time.time() * 1000 + 25_000


@pytest.mark.parametrize("renewed_first", [True, False])
async def test_after_a_flush_reservations_come_back_with_the_renewal(door: Door, renewed_first: bool) -> None:
    await door.leases.rebase(door.place(), used=40)
    await door.ask(per_month=100, characters=25)
    await door.redis.flushdb()
    assert (await door.ask(per_month=100, characters=1)).word == "rehydrate"
    if renewed_first:
        await door.leases._renew(door.place())
    await door.leases.rebase(door.place(), used=40)
    if not renewed_first:
        await door.leases._renew(door.place())
    assert await door.count() == (40, 25)
    assert (await door.ask(per_month=100, characters=36)).word == "quota"
    await door.settle(door.asked[0], charged=25)
    assert await door.count() == (65, 0)


async def test_a_counter_is_read_anew_after_ten_minutes_whatever_happens_to_it(door: Door) -> None:
    await door.leases.rebase(door.place(), used=0)
    key = door.place().quota
    await door.redis.pexpire(key, 200_000)
    await door.ask(per_month=100, characters=10)
    await door.leases._renew(door.place())
    await door.settle(door.asked[0], charged=10)
    assert await door.redis.pttl(key) <= 200_000
    await door.redis.delete(key)
    await door.leases.rebase(door.place(), used=0)
    assert QUOTA_SECONDS * 1000 - 2000 < await door.redis.pttl(key) <= QUOTA_SECONDS * 1000


async def test_who_reads_it_second_does_not_undo_what_was_counted_meanwhile(door: Door) -> None:
    await door.leases.rebase(door.place(), used=50)
    await door.ask(per_month=100, characters=10)
    await door.settle(door.asked[0], charged=10)
    await door.leases.rebase(door.place(), used=50)
    assert await door.count() == (60, 0)


async def test_a_month_begins_with_nothing_and_the_last_one_gets_what_began_in_it(door: Door) -> None:
    before = (door.month - timedelta(days=1)).replace(day=1)
    last = door.place(month=before)
    await door.leases.rebase(last, used=0)
    late = Lease("late", 60, (Bound(last, 600, 20, 100),))
    await door.ask(lease=late)
    assert (await door.ask(per_month=100, characters=60)).word == "rehydrate"
    await door.leases.rebase(door.place(), used=0)
    assert (await door.ask(per_month=100, characters=60)).word == "ok"
    await door.settle(late, charged=60)
    assert (await door.count(last), await door.count()) == ((60, 0), (0, 60))


async def test_a_limit_that_is_lifted_and_set_again_finds_the_count_right(door: Door) -> None:
    await door.leases.rebase(door.place(), used=0)
    await door.ask(per_month=100, characters=30)
    await door.ask(per_month=0, characters=30)
    await door.settle(door.asked[0], charged=30)
    await door.settle(door.asked[1], charged=30)
    assert (await door.count())[1] == 0
    await door.ask(per_month=100, characters=30)
    assert (await door.count())[1] == 30


async def test_a_settlement_that_is_lost_makes_the_counter_be_read_anew() -> None:
    async with redis_behind_a_wire() as (url, wire), door_to(url) as door:
        await door.leases.rebase(door.place(), used=0)
        await door.ask(per_month=100, characters=30)
        await wire.cut()
        await door.settle(door.asked[0], charged=30)
        await wire.mend()
        assert await door.count() == (0, 30)
        assert (await door.ask(per_month=100, characters=30)).word == "rehydrate"


async def test_what_went_on_without_redis_is_told_when_it_is_back() -> None:
    async with redis_behind_a_wire() as (url, wire), door_to(url) as door:
        await door.leases.rebase(door.place(), used=0)
        await wire.cut()
        lease = door.lease(per_month=100, characters=30)
        with pytest.raises(RedisAway):
            await door.ask(lease=lease)
        door.leases.hold_without_redis(lease)
        assert door.leases.running(door.place()) == 1
        await wire.mend()
        await door.leases._recount()
        assert not await door.redis.exists(door.place().quota)
        await door.leases._renew(door.place())
        await door.leases.rebase(door.place(), used=5)
        assert (await door.count(), await door.in_flight()) == ((5, 30), 1)
        await door.settle(lease, charged=30)
        assert (await door.count(), await door.in_flight()) == ((35, 0), 0)


async def test_counters_stay_uncounted_until_redis_has_dropped_them() -> None:
    async with redis_behind_a_wire() as (url, wire), door_to(url) as door:
        await door.leases.rebase(door.place(), used=0)
        await wire.cut()
        door.leases.hold_without_redis(door.lease(per_month=100))
        for _ in range(2):
            with pytest.raises(RedisAway):
                await door.ask(per_month=100)
        assert await door.redis.exists(door.place().quota)
        await wire.mend()
        assert (await door.ask(per_month=100)).word == "rehydrate"
