"""Rate and concurrency in one Lua call: counted, refilled, given back, lapsed, and rebuilt after a flush."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from apps.accounts.policy import redis_key as policy_key
from apps.usage.leases import Freshness, RedisAway
from tests.redises import redis_behind_a_wire
from tests.usage.doors import Door, door_to


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    async with door_to() as opened:
        yield opened


async def test_admission_says_what_remains_and_what_is_in_flight(door: Door) -> None:
    for left, in_flight in ((9, 1), (8, 2)):
        verdict = await door.ask(rate=10)
        (here,) = verdict.figures
        assert (verdict.word, here.requests_left, here.in_flight) == ("ok", left, in_flight)
        assert (10 - left) * 6000 - 100 < here.full_ms <= (10 - left) * 6000


async def test_over_the_rate_is_told_when_to_come_back(door: Door) -> None:
    for _ in range(3):
        assert (await door.ask(rate=3)).word == "ok"
    refused = await door.ask(rate=3)
    assert refused.word == "rate"
    assert 15_000 < refused.wait_ms <= 20_000
    assert 55_000 < refused.figures[0].full_ms <= 60_000


async def test_the_bucket_refills_with_time_and_never_over_its_size(door: Door) -> None:
    for _ in range(6):
        await door.ask(rate=6)
    await door.shift_bucket(seconds=20.5)
    assert [(await door.ask(rate=6)).word for _ in range(3)] == ["ok", "ok", "rate"]
    await door.shift_bucket(seconds=3600)
    assert (await door.ask(rate=6)).figures[0].requests_left == 5


async def test_who_comes_back_when_told_is_let_in(door: Door) -> None:
    await door.ask(rate=1)
    wait_ms = (await door.ask(rate=1)).wait_ms
    await door.shift_bucket(seconds=wait_ms / 1000)
    assert (await door.ask(rate=1)).word == "ok"


async def test_a_refusal_takes_nothing(door: Door) -> None:
    await door.ask(rate=1)
    for _ in range(5):
        assert (await door.ask(rate=1)).word == "rate"
    assert await door.in_flight() == 1


async def test_concurrency_counts_what_is_in_flight(door: Door) -> None:
    await door.ask(at_once=2)
    await door.ask(at_once=2)
    refused = await door.ask(at_once=2)
    assert (refused.word, refused.figures[0].in_flight) == ("concurrency", 2)
    await door.settle(door.asked[0])
    assert (await door.ask(at_once=2)).word == "ok"


async def test_a_refusal_for_concurrency_costs_no_rate(door: Door) -> None:
    assert (await door.ask(rate=10, at_once=1)).figures[0].requests_left == 9
    for _ in range(3):
        assert (await door.ask(rate=10, at_once=1)).word == "concurrency"
    assert (await door.ask(rate=10, at_once=5)).figures[0].requests_left == 8


async def test_many_at_once_get_no_more_than_there_is(door: Door) -> None:
    verdicts = await asyncio.gather(*(door.ask(at_once=7) for _ in range(40)))
    assert [verdict.word for verdict in verdicts].count("ok") == 7


async def test_a_lease_that_nobody_renews_is_gone(door: Door) -> None:
    await door.ask(at_once=1)
    key = door.place().leases
    ((lease, expires_ms),) = await door.redis.zrange(key, 0, -1, withscores=True)
    now_ms = (await door.redis.time())[0] * 1000
    assert 28_000 < expires_ms - now_ms <= 31_000
    assert 28_000 < await door.redis.pttl(key) <= 30_000
    await door.redis.zadd(key, {lease: now_ms - 1})
    assert (await door.ask(at_once=1)).word == "ok"


async def test_giving_back_twice_or_what_was_never_held_is_nothing(door: Door) -> None:
    await door.ask()
    for _ in range(2):
        await door.settle(door.asked[0])
    await door.settle(door.lease())
    assert await door.in_flight() == 0


async def test_live_and_test_are_apart(door: Door) -> None:
    assert (await door.ask(rate=1, at_once=1)).word == "ok"
    assert (await door.ask(rate=1, at_once=1, mode="test")).word == "ok"
    assert (await door.ask(rate=1, at_once=9)).word == "rate"
    assert (await door.ask(rate=9, at_once=1, mode="test")).word == "concurrency"


async def test_organizations_are_apart(door: Door) -> None:
    assert (await door.ask(rate=1, at_once=1)).word == "ok"
    door.organization_id = uuid.uuid4()
    assert (await door.ask(rate=1, at_once=1)).word == "ok"


async def test_a_key_has_a_rate_of_its_own_within_the_organizations(door: Door) -> None:
    assert (await door.ask(rate=10, own=(2, 0, 0))).figures[1].requests_left == 1
    await door.ask(rate=10, own=(2, 0, 0))
    refused = await door.ask(rate=10, own=(2, 0, 0))
    assert (refused.word, refused.refusing) == ("rate", 1)
    assert 29_000 < refused.wait_ms <= 30_000
    # Another key goes on, and what was refused has cost the organization nothing.
    assert (await door.ask(rate=10)).figures[0].requests_left == 7


async def test_a_key_runs_no_more_at_once_than_it_may(door: Door) -> None:
    await door.ask(at_once=3, own=(0, 1, 0))
    refused = await door.ask(at_once=3, own=(0, 1, 0))
    assert (refused.word, refused.refusing) == ("concurrency", 1)
    assert [here.in_flight for here in refused.figures] == [1, 1]
    for _ in range(2):
        assert (await door.ask(at_once=3)).word == "ok"
    assert (await door.ask(at_once=3, own=(0, 9, 0))).refusing == 0
    await door.settle(door.asked[0])
    assert (await door.ask(at_once=3, own=(0, 1, 0))).word == "ok"


async def test_an_identity_older_than_the_policy_is_stale_however_fresh_it_claims_to_be(door: Door) -> None:
    await door.redis.set(policy_key(door.organization_id), 5)
    assert (await door.ask(version=4, fresh=Freshness.CACHED)).word == "stale"
    assert (await door.ask(version=4, fresh=Freshness.READ)).word == "stale"
    assert await door.in_flight() == 0
    assert (await door.ask(version=5, fresh=Freshness.CACHED)).word == "ok"


async def test_postgresql_has_the_last_word_on_the_policy(door: Door) -> None:
    """As after a restored backup, whose versions are behind those that Redis has seen."""
    await door.redis.set(policy_key(door.organization_id), 5)
    assert (await door.ask(version=4, fresh=Freshness.READ)).word == "stale"
    assert (await door.ask(version=4, fresh=Freshness.INSISTED)).word == "ok"
    assert (await door.ask(version=4, fresh=Freshness.CACHED)).word == "ok"


async def test_a_caller_who_leaves_while_redis_decides_holds_no_lease(door: Door) -> None:
    asking = asyncio.create_task(door.ask())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await door.leases.stop()
    assert await door.in_flight() == 0


async def test_an_identity_newer_than_redis_is_read_again_and_then_raises_it(door: Door) -> None:
    await door.redis.set(policy_key(door.organization_id), 5)
    assert (await door.ask(version=6, fresh=Freshness.CACHED)).word == "stale"
    assert (await door.ask(version=6, fresh=Freshness.READ)).word == "ok"
    assert await door.redis.get(policy_key(door.organization_id)) == b"6"


async def test_after_a_flush_all_is_rebuilt(door: Door) -> None:
    await door.ask(rate=5)
    await door.redis.flushdb()
    assert (await door.ask(fresh=Freshness.CACHED)).word == "stale"
    (here,) = (await door.ask(rate=5, fresh=Freshness.READ)).figures
    assert (here.requests_left, here.in_flight) == (4, 1)


async def test_a_renewal_brings_leases_back_that_redis_forgot(door: Door) -> None:
    await door.ask(own=(0, 5, 0))
    await door.redis.flushdb()
    for place in (door.place(), door.keys_place):
        await door.leases._renew(place)
        assert await door.redis.zcard(place.leases) == 1
        assert 28_000 < await door.redis.pttl(place.leases) <= 30_000


async def test_a_renewal_brings_nothing_back_that_was_given_back_meanwhile(door: Door) -> None:
    await door.ask()
    renewing = asyncio.create_task(door.leases._renew(door.place()))
    await asyncio.sleep(0)
    await door.settle(door.asked[0])
    await renewing
    assert await door.in_flight() == 0


async def test_redis_away_is_said_and_not_hung_on() -> None:
    async with redis_behind_a_wire() as (url, wire), door_to(url) as door:
        assert (await door.ask()).word == "ok"
        await wire.cut()
        with pytest.raises(RedisAway):
            await door.ask()
        await door.settle(door.asked[0])
        await wire.mend()
        assert (await door.ask()).word == "ok"
        wire.stall()
        async with asyncio.timeout(3):
            with pytest.raises(RedisAway):
                await door.ask()
        wire.resume()
