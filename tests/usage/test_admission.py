"""The door of a speech process: who gets in, what a change of policy does, and what holds without Redis."""

from __future__ import annotations

import asyncio
import time

import pytest
from django.conf import settings

from apps.accounts.models import Organization
from apps.accounts.services import set_suspended
from apps.core.errors import PermissionDenied, RateLimited, Unauthenticated, Unavailable
from apps.keys.models import ApiKey
from apps.keys.services import IssuedKey, revoke_key
from apps.usage.admission import Outcome
from apps.usage.models import UsageRecord
from tests.redises import client, redis_behind_a_wire
from tests.usage.admissions import (
    ASKED,
    OK,
    acme,
    admission,
    elsewhere,
    enter,
    limit,
    live,
    test_key,
    until,
)

__all__ = ["acme", "live", "test_key"]


async def test_a_request_is_admitted_recorded_and_settled(live: IssuedKey) -> None:
    async with admission() as door:
        admitted = await enter(door, live)
        await admitted.opened
        row = await elsewhere(UsageRecord.objects.get)
        assert (row.id, row.state, row.key_id) == (admitted.record_id, "open", live.key.pk)
        assert admitted.headers["X-RateLimit-Limit"] == str(settings.LIMIT_REQUESTS_PER_MINUTE)
        assert admitted.headers["X-RateLimit-Remaining"] == str(settings.LIMIT_REQUESTS_PER_MINUTE - 1)
        assert door.settle(admitted, OK) > 0
        await until(lambda: elsewhere(UsageRecord.objects.filter(state="ok", characters_charged=10).exists))
    assert door._leases._held == {}


async def test_settling_twice_counts_the_first_time(live: IssuedKey) -> None:
    async with admission() as door:
        admitted = await enter(door, live)
        await admitted.opened
        door.settle(admitted, Outcome(state="cancelled", characters_charged=3))
        door.settle(admitted, OK)
        await until(lambda: elsewhere(UsageRecord.objects.exclude(state="open").exists))
        row = await elsewhere(UsageRecord.objects.get)
        assert (row.state, row.characters_charged) == ("cancelled", 3)
        assert door._leases._held == {}


async def test_too_fast_and_too_many_are_told_apart(acme: Organization, live: IssuedKey) -> None:
    await elsewhere(lambda: limit(acme, requests_per_minute=3, concurrent_requests=2))
    async with admission() as door:
        first, _ = await enter(door, live), await enter(door, live)
        with pytest.raises(RateLimited) as crowded:
            await enter(door, live)
        door.settle(first, OK)
        await door._leases.flush()
        door.settle(await enter(door, live), OK)
        await door._leases.flush()
        with pytest.raises(RateLimited) as hurried:
            await enter(door, live)
    assert crowded.value.code == "too_many_concurrent_requests"
    assert hurried.value.code == "rate_limit_exceeded"
    assert int(hurried.value.headers["Retry-After"]) == 20
    assert await elsewhere(UsageRecord.objects.count) == 3  # a refusal is no row


async def test_new_limits_hold_for_the_very_next_request(acme: Organization, live: IssuedKey) -> None:
    async with admission() as door:
        assert (await enter(door, live)).headers["X-RateLimit-Limit"] == "600"
        await elsewhere(lambda: limit(acme, requests_per_minute=77, characters_per_request=9))
        caller = await door.identify(live.secret)
        admitted = await door.admit(caller, ASKED, started=time.perf_counter())
        assert admitted.headers["X-RateLimit-Limit"] == "77"
        assert caller.limits.characters_per_request == 9


async def test_an_organizations_own_limits_are_not_those_of_its_test_keys(
    acme: Organization, test_key: IssuedKey
) -> None:
    await elsewhere(lambda: limit(acme, requests_per_minute=77, concurrent_requests=77))
    async with admission() as door:
        limits = (await door.identify(test_key.secret)).limits
    assert limits.requests_per_minute == settings.LIMIT_TEST_REQUESTS_PER_MINUTE
    assert limits.concurrent_requests == settings.LIMIT_TEST_CONCURRENT_REQUESTS


async def test_a_key_revoked_while_it_is_cached_is_refused_at_once(live: IssuedKey) -> None:
    async with admission() as door:
        await enter(door, live)
        caller = await door.identify(live.secret)
        await elsewhere(lambda: revoke_key(key=live.key, by=None))
        with pytest.raises(Unauthenticated):
            await door.admit(caller, ASKED, started=time.perf_counter())


async def test_an_organization_suspended_while_it_is_cached_is_refused_at_once(
    acme: Organization, live: IssuedKey
) -> None:
    async with admission() as door:
        await enter(door, live)
        await elsewhere(lambda: set_suspended(organization=acme, suspended=True))
        with pytest.raises(PermissionDenied):
            await enter(door, live)


async def test_after_a_flush_of_redis_requests_go_on(live: IssuedKey) -> None:
    async with admission() as door:
        await enter(door, live)
        redis = client()
        await redis.flushdb()
        await redis.aclose()
        assert (await enter(door, live)).headers["X-RateLimit-Remaining"] == "599"


async def test_without_redis_live_keys_go_on_up_to_a_cap_of_the_process(
    acme: Organization, live: IssuedKey
) -> None:
    await elsewhere(lambda: limit(acme, concurrent_requests=2))
    async with redis_behind_a_wire() as (url, wire), admission(url) as door:
        await wire.cut()
        first, _ = await enter(door, live), await enter(door, live)
        await first.opened
        with pytest.raises(RateLimited) as crowded:
            await enter(door, live)
        assert crowded.value.code == "too_many_concurrent_requests"
        door.settle(first, OK)
        third = await enter(door, live)
        await third.opened
        await wire.mend()
        door.settle(third, OK)
        assert await elsewhere(UsageRecord.objects.count) == 3


async def test_without_redis_test_keys_wait(test_key: IssuedKey) -> None:
    async with redis_behind_a_wire() as (url, wire), admission(url) as door:
        await wire.cut()
        with pytest.raises(Unavailable) as refused:
            await enter(door, test_key)
        assert refused.value.code == "admission_away"
        assert refused.value.headers["Retry-After"]
        await wire.mend()
        assert await enter(door, test_key)


async def test_use_is_noted_once_a_minute(live: IssuedKey) -> None:
    async with admission() as door:
        await enter(door, live)
        await until(lambda: elsewhere(ApiKey.objects.filter(last_used_at__isnull=False).exists))
        await elsewhere(lambda: ApiKey.objects.update(last_used_at=None))
        await enter(door, live)
        await asyncio.gather(*door._tasks)
        assert not await elsewhere(ApiKey.objects.filter(last_used_at__isnull=False).exists)


async def test_what_is_no_key_is_refused_before_anything_else() -> None:
    async with admission(redis_url="redis://127.0.0.1:1/0") as door:
        with pytest.raises(Unauthenticated):
            await door.identify("vf_live_" + "0" * 36)
