"""A month's characters through the door: read from PostgreSQL, counted in Redis, and never free."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from apps.accounts.models import Organization
from apps.core.errors import QuotaExceeded
from apps.core.ids import uuid7, uuid7_time
from apps.keys.services import IssuedKey, issue_key, restrict_key
from apps.usage.places import place_of
from apps.usage.quota import charged_this_month, month_end, month_of
from tests.redises import client, redis_behind_a_wire
from tests.usage.admissions import acme, admission, elsewhere, enter, leave, limit, live, test_key
from tests.usage.rows import id_at, record

__all__ = ["acme", "live", "test_key"]


def this_month() -> date:
    """By the clock of ids, which never goes back: other tests may have travelled ahead."""
    return month_of(uuid7())


async def flush() -> None:
    redis = client()
    await redis.flushdb()
    await redis.aclose()


async def charged_before(organization: Organization, characters: int, **fields: Any) -> None:
    """Requests of this month that are settled."""
    await elsewhere(
        lambda: record(
            organization,
            at=uuid7_time(uuid7()),
            characters=characters,
            characters_charged=characters,
            **fields,
        )
    )


async def test_what_was_charged_before_redis_knew_of_it_counts(acme: Organization, live: IssuedKey) -> None:
    await charged_before(acme, 85)
    await elsewhere(lambda: limit(acme, characters_per_month=100))
    async with admission() as door:
        admitted = await enter(door, live)
        assert (admitted.standing.characters_limit, admitted.standing.characters_remaining) == (100, 5)
        with pytest.raises(QuotaExceeded) as refused:
            await enter(door, live)
    error = refused.value
    assert (error.status, error.code, error.headers) == (429, "quota_exceeded", {"x-should-retry": "false"})
    assert "100 characters a month" in error.message
    assert "85 are used and 10 are taken by requests that run, and this text has 10" in error.message
    assert f"{month_end(this_month()):%Y-%m-%d}" in error.message
    assert error.standing
    assert (error.standing.characters_limit, error.standing.characters_remaining) == (100, 5)


async def test_what_is_charged_counts_and_what_is_not_is_free_again(
    acme: Organization, live: IssuedKey
) -> None:
    await elsewhere(lambda: limit(acme, characters_per_month=30))
    async with admission() as door:
        await leave(door, await enter(door, live))
        await leave(door, await enter(door, live), state="failed", characters_charged=0)
        await leave(door, await enter(door, live), state="cancelled", characters_charged=4)
        assert (await enter(door, live)).standing.characters_remaining == 6


async def test_a_key_has_a_month_of_its_own(acme: Organization, live: IssuedKey) -> None:
    await charged_before(acme, 40)
    await charged_before(acme, 15, key=live.key)
    await elsewhere(lambda: restrict_key(key=live.key, by=None, characters_per_month=30))
    other = await elsewhere(
        lambda: issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None)
    )
    async with admission() as door:
        assert (await enter(door, live)).standing.characters_remaining == 5
        with pytest.raises(QuotaExceeded, match="allowed with this key; 15 are used"):
            await enter(door, live)
        assert (await enter(door, other)).standing.characters_limit is None


async def test_both_counters_are_read_where_both_are_limited(acme: Organization, live: IssuedKey) -> None:
    await charged_before(acme, 40)
    await charged_before(acme, 15, key=live.key)
    await elsewhere(lambda: limit(acme, characters_per_month=100))
    await elsewhere(lambda: restrict_key(key=live.key, by=None, characters_per_month=90))
    async with admission() as door:
        standing = (await enter(door, live)).standing
        assert (standing.characters_limit, standing.characters_remaining) == (100, 35)


async def test_test_keys_have_a_small_month_of_their_own(
    acme: Organization, test_key: IssuedKey, settings: Any
) -> None:
    settings.LIMIT_TEST_CHARACTERS_PER_MONTH = 25
    await elsewhere(lambda: limit(acme, characters_per_month=5))
    await charged_before(acme, 1000)
    await charged_before(acme, 10, mode="test")
    async with admission() as door:
        assert (await enter(door, test_key)).standing.characters_remaining == 5
        with pytest.raises(QuotaExceeded):
            await enter(door, test_key)


def test_by_default_only_test_keys_are_limited() -> None:
    assert settings.LIMIT_CHARACTERS_PER_MONTH == 0
    assert settings.LIMIT_TEST_CHARACTERS_PER_MONTH == 50_000


async def test_many_at_once_get_no_more_than_the_month_holds(acme: Organization, live: IssuedKey) -> None:
    await charged_before(acme, 50)
    await elsewhere(lambda: limit(acme, characters_per_month=95))
    async with admission() as door, admission() as another:
        answers = await asyncio.gather(
            *(enter(each, live) for each in (door, another) for _ in range(8)), return_exceptions=True
        )
    assert sum(isinstance(answer, QuotaExceeded) for answer in answers) == 12
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 4


async def test_a_counter_is_read_once_for_all_who_wait_for_it(acme: Organization, live: IssuedKey) -> None:
    await elsewhere(lambda: limit(acme, characters_per_month=1000))
    async with admission() as door:
        await leave(door, await enter(door, live))
        await flush()
        waiting = asyncio.gather(*(enter(door, live) for _ in range(10)))
        readings: set[asyncio.Task[None]] = set()
        while not waiting.done():
            readings.update(door._rehydrations.values())
            await asyncio.sleep(0)
        assert len(readings) == 1
        assert min(admitted.standing.characters_remaining or 0 for admitted in await waiting) == 890


async def test_after_a_flush_no_month_is_free(acme: Organization, live: IssuedKey) -> None:
    await elsewhere(lambda: limit(acme, characters_per_month=50))
    async with admission() as door:
        await leave(door, await enter(door, live))
        running = await enter(door, live, characters=25)
        await flush()
        assert (await enter(door, live)).standing.characters_remaining == 5
        with pytest.raises(QuotaExceeded):
            await enter(door, live)
        await leave(door, running, characters_charged=25)
        await flush()
        with pytest.raises(QuotaExceeded):
            await enter(door, live, characters=16)


async def test_redis_away_and_back_counts_what_went_on_meanwhile(acme: Organization, live: IssuedKey) -> None:
    await elsewhere(lambda: limit(acme, characters_per_month=60))
    async with redis_behind_a_wire() as (url, wire), admission(url) as door:
        await leave(door, await enter(door, live))
        await wire.cut()
        for _ in range(3):
            await leave(door, await enter(door, live))
        assert (await enter(door, live)).standing.characters_limit is None
        await wire.mend()
        # PostgreSQL knows of four; the fifth still runs.
        assert (await enter(door, live)).standing.characters_remaining == 0
        with pytest.raises(QuotaExceeded):
            await enter(door, live)


async def test_a_lease_of_a_process_that_was_killed_reserves_nothing_after_its_lifetime(
    acme: Organization, live: IssuedKey
) -> None:
    await elsewhere(lambda: limit(acme, characters_per_month=15, concurrent_requests=1))
    place = place_of(acme.pk, "live", None, this_month())
    async with admission() as killed:
        await enter(killed, live)
        killed._leases._held.clear()  # it renews nothing any more
    async with admission() as door:
        redis = client()
        for key in (place.leases, place.reservations):
            ((member, lapses),) = await redis.zrange(key, 0, -1, withscores=True)
            assert 25_000 < lapses - time.time() * 1000 <= 30_500
            await redis.zadd(key, {member: 1})
        await redis.aclose()
        assert (await enter(door, live)).standing.characters_remaining == 5


def test_charged_this_month_is_what_began_in_it(acme: Organization, live: IssuedKey) -> None:
    month = this_month()
    begin = datetime.combine(month, datetime.min.time(), tzinfo=UTC)
    inside, outside = [begin, begin + timedelta(seconds=1)], [begin - timedelta(seconds=1), month_end(month)]
    for at in inside:
        record(acme, at=at, characters_charged=3)
        record(acme, at=at, key=live.key, characters_charged=2)
        record(acme, at=at, mode="test", characters_charged=1)
    for at in outside:
        record(acme, at=at, characters_charged=9)
    record(acme, at=begin, state="open")
    assert charged_this_month(acme.pk, "live", month=month) == 10
    assert charged_this_month(acme.pk, "test", month=month) == 2
    assert charged_this_month(acme.pk, "live", month=month, key_id=live.key.pk) == 4
    assert charged_this_month(acme.pk, "live", month=date(2020, 2, 1)) == 0


def test_the_month_of_a_request_is_that_of_its_beginning() -> None:
    for moment, month in (
        (datetime(2026, 11, 30, 23, 59, 59, 999_000, tzinfo=UTC), date(2026, 11, 1)),
        (datetime(2026, 12, 1, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), date(2028, 2, 1)),
    ):
        assert month_of(id_at(moment)) == month
    assert month_end(date(2026, 12, 1)) == datetime(2027, 1, 1, tzinfo=UTC)
