"""Rate and concurrency in one Lua call: counted, refilled, released, expired, and rebuilt after a flush."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import redis.asyncio
from django.conf import settings

from apps.accounts.policy import redis_key as policy_key
from apps.usage.leases import Freshness, Leases, RedisAway, Verdict, lease_key, rate_key
from apps.usage.limits import Limits
from tests.usage.redises import client, redis_behind_a_wire


class Door:
    """One organization at policy version 1, asking for leases."""

    def __init__(self, leases: Leases, redis: redis.asyncio.Redis) -> None:
        self.leases, self.redis = leases, redis
        self.organization_id = uuid.uuid4()

    async def ask(
        self,
        *,
        rate: int = 600,
        at_once: int = 20,
        lease_id: uuid.UUID | None = None,
        mode: str = "live",
        version: int = 1,
        fresh: Freshness = Freshness.READ,
        organization_id: uuid.UUID | None = None,
    ) -> Verdict:
        return await self.leases.acquire(
            organization_id=organization_id or self.organization_id,
            mode=mode,
            lease_id=lease_id or uuid.uuid4(),
            policy_version=version,
            fresh=fresh,
            limits=Limits(rate, at_once, 5000),
        )

    async def shift_bucket(self, seconds: float, mode: str = "live") -> None:
        """As if the last request had been that long ago."""
        key = rate_key(self.organization_id, mode)
        await self.redis.hincrby(key, "at", -int(seconds * 1000))

    async def in_flight(self, mode: str = "live") -> int:
        return int(await self.redis.zcard(lease_key(self.organization_id, mode)))


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    leases, connection = Leases(settings.REDIS_URL), client()
    await leases.start()
    yield Door(leases, connection)
    await leases.stop()
    await connection.aclose()


async def test_admission_says_what_remains_and_what_is_in_flight(door: Door) -> None:
    assert await door.ask(rate=10) == Verdict("ok", 9, 1)
    assert await door.ask(rate=10) == Verdict("ok", 8, 2)


async def test_over_the_rate_is_told_when_to_come_back(door: Door) -> None:
    for _ in range(3):
        assert (await door.ask(rate=3)).word == "ok"
    refused = await door.ask(rate=3)
    assert refused.word == "rate"
    assert 15_000 < refused.first <= 20_000


async def test_the_bucket_refills_with_time_and_never_over_its_size(door: Door) -> None:
    for _ in range(6):
        await door.ask(rate=6)
    await door.shift_bucket(seconds=20.5)
    assert [(await door.ask(rate=6)).word for _ in range(3)] == ["ok", "ok", "rate"]
    await door.shift_bucket(seconds=3600)
    assert (await door.ask(rate=6)).first == 5


async def test_who_comes_back_when_told_is_let_in(door: Door) -> None:
    await door.ask(rate=1)
    wait_ms = (await door.ask(rate=1)).first
    await door.shift_bucket(seconds=wait_ms / 1000)
    assert (await door.ask(rate=1)).word == "ok"


async def test_a_refusal_takes_nothing(door: Door) -> None:
    await door.ask(rate=1)
    for _ in range(5):
        assert (await door.ask(rate=1)).word == "rate"
    assert await door.in_flight() == 1


async def test_concurrency_counts_what_is_in_flight(door: Door) -> None:
    lease_id = uuid.uuid4()
    await door.ask(at_once=2, lease_id=lease_id)
    await door.ask(at_once=2)
    assert await door.ask(at_once=2) == Verdict("concurrency", 2, 0)
    door.leases.release(organization_id=door.organization_id, mode="live", lease_id=lease_id)
    await asyncio.gather(*door.leases._releases)
    assert (await door.ask(at_once=2)).word == "ok"


async def test_a_refusal_for_concurrency_costs_no_rate(door: Door) -> None:
    assert (await door.ask(rate=10, at_once=1)).first == 9
    for _ in range(3):
        assert (await door.ask(rate=10, at_once=1)).word == "concurrency"
    assert (await door.ask(rate=10, at_once=5)).first == 8


async def test_many_at_once_get_no_more_than_there_is(door: Door) -> None:
    verdicts = await asyncio.gather(*(door.ask(at_once=7) for _ in range(40)))
    assert [verdict.word for verdict in verdicts].count("ok") == 7


async def test_a_lease_that_nobody_renews_is_gone(door: Door) -> None:
    await door.ask(at_once=1)
    key = lease_key(door.organization_id, "live")
    ((lease, expires_ms),) = await door.redis.zrange(key, 0, -1, withscores=True)
    now_ms = (await door.redis.time())[0] * 1000
    assert 28_000 < expires_ms - now_ms <= 31_000
    assert 28_000 < await door.redis.pttl(key) <= 30_000
    await door.redis.zadd(key, {lease: now_ms - 1})
    assert (await door.ask(at_once=1)).word == "ok"


async def test_releasing_twice_or_what_was_never_held_is_nothing(door: Door) -> None:
    lease_id = uuid.uuid4()
    await door.ask(lease_id=lease_id)
    for _ in range(2):
        door.leases.release(organization_id=door.organization_id, mode="live", lease_id=lease_id)
    door.leases.release(organization_id=uuid.uuid4(), mode="live", lease_id=uuid.uuid4())
    await asyncio.gather(*door.leases._releases)
    assert await door.in_flight() == 0


async def test_live_and_test_are_apart(door: Door) -> None:
    assert (await door.ask(rate=1, at_once=1)).word == "ok"
    assert (await door.ask(rate=1, at_once=1, mode="test")).word == "ok"
    assert (await door.ask(rate=1, at_once=9)).word == "rate"
    assert (await door.ask(rate=9, at_once=1, mode="test")).word == "concurrency"


async def test_organizations_are_apart(door: Door) -> None:
    assert (await door.ask(rate=1, at_once=1)).word == "ok"
    assert (await door.ask(rate=1, at_once=1, organization_id=uuid.uuid4())).word == "ok"


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
    assert await door.ask(rate=5, fresh=Freshness.READ) == Verdict("ok", 4, 1)


async def test_a_renewal_brings_leases_back_that_redis_forgot(door: Door) -> None:
    await door.ask()
    await door.redis.flushdb()
    key = lease_key(door.organization_id, "live")
    await door.leases._renew_script(keys=[key], args=[30_000, *door.leases._held[key]])
    assert await door.in_flight() == 1
    assert 28_000 < await door.redis.pttl(key) <= 30_000


async def test_redis_away_is_said_and_not_hung_on() -> None:
    async with redis_behind_a_wire() as (url, wire):
        connection, leases = client(), Leases(url)
        door = Door(leases, connection)
        lease_id: Any = uuid.uuid4()
        assert (await door.ask(lease_id=lease_id)).word == "ok"
        await wire.cut()
        with pytest.raises(RedisAway):
            await door.ask()
        door.leases.release(organization_id=door.organization_id, mode="live", lease_id=lease_id)
        await asyncio.gather(*door.leases._releases)
        await wire.mend()
        assert (await door.ask()).word == "ok"
        wire.stall()
        async with asyncio.timeout(3):
            with pytest.raises(RedisAway):
                await door.ask()
        wire.resume()
        await leases.stop()
        await connection.aclose()
