"""What a key may not do although it proves itself: from elsewhere, with other voices, over its own limits."""

from __future__ import annotations

import time
from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.core.errors import PermissionDenied, RateLimited
from apps.keys.identity import identity_of_key, identity_of_person
from apps.keys.services import IssuedKey, issue_key, restrict_key
from apps.usage.caller import Caller
from apps.usage.models import UsageRecord
from tests.redises import redis_behind_a_wire
from tests.usage.admissions import ASKED, acme, admission, elsewhere, enter, leave, limit, live

__all__ = ["acme", "live"]

HERE, THERE = "203.0.113.7", "198.51.100.1"


async def restrict(key: IssuedKey, **restrictions: Any) -> None:
    await elsewhere(lambda: restrict_key(key=key.key, by=None, **restrictions))


def refusal(caller: Caller, name: str, *aliases: str) -> str | None:
    """The code of the refusal of a voice."""
    try:
        caller.require_voice(name, *aliases)
    except PermissionDenied as refused:
        return refused.code
    return None


@pytest.mark.parametrize("whose", ["key", "organization"])
async def test_a_key_works_from_its_addresses_alone(acme: Organization, live: IssuedKey, whose: str) -> None:
    if whose == "key":
        await restrict(live, allowed_ips=["203.0.113.0/24", "2001:db8::1"])
    else:
        await elsewhere(lambda: limit(acme, allowed_ips=["203.0.113.0/24", "2001:db8::1"]))
    async with admission() as door:
        for address in (HERE, "::ffff:203.0.113.9", "2001:db8:0::1"):
            await door.identify(live.secret, address=address)
        for elsewhere_ in (THERE, "2001:db8::2", "nonsense", None):
            with pytest.raises(PermissionDenied) as refused:
                await door.identify(live.secret, address=elsewhere_)
            assert refused.value.code == "address_not_allowed"


async def test_both_lists_of_addresses_hold(acme: Organization, live: IssuedKey) -> None:
    await restrict(live, allowed_ips=[HERE, THERE])
    await elsewhere(lambda: limit(acme, allowed_ips=["203.0.113.0/24"]))
    async with admission() as door:
        assert await door.identify(live.secret, address=HERE)
        for address in (THERE, "203.0.113.8"):
            with pytest.raises(PermissionDenied):
                await door.identify(live.secret, address=address)


async def test_without_a_list_an_unknown_address_will_do(live: IssuedKey) -> None:
    async with admission() as door:
        assert await door.identify(live.secret)


async def test_who_signed_in_is_not_bound_to_the_addresses_of_keys(acme: Organization) -> None:
    await elsewhere(lambda: limit(acme, allowed_ips=[HERE]))
    owner = await elsewhere(lambda: acme.members.get().pk)
    async with admission() as door:
        assert await door.identify_by(lambda: identity_of_person(user_id=owner, organization_id=acme.pk))


async def test_work_that_goes_on_after_its_call_comes_from_nowhere(
    acme: Organization, live: IssuedKey
) -> None:
    async with admission() as door:
        await leave(door, await enter(door, live))
        caller = await door.identify_by(lambda: identity_of_key(live.key.pk))
        await restrict(live, allowed_ips=[HERE])
        assert await door.admit(caller, ASKED, started=time.perf_counter())


async def test_an_address_that_is_shut_out_now_gets_no_further(
    live: IssuedKey,
) -> None:
    async with admission() as door:
        await leave(door, await enter(door, live))
        caller = await door.identify(live.secret, address=THERE)
        await restrict(live, allowed_ips=[HERE])
        with pytest.raises(PermissionDenied) as refused:
            await door.admit(caller, ASKED, started=time.perf_counter())
        assert refused.value.code == "address_not_allowed"
        assert await elsewhere(UsageRecord.objects.count) == 1


async def test_voices_on_both_lists_under_any_of_their_names(acme: Organization, live: IssuedKey) -> None:
    await restrict(live, allowed_voices=["heart", "alloy"])
    await elsewhere(lambda: limit(acme, allowed_voices=["heart", "kore", "nova"]))
    async with admission() as door:
        caller = await door.identify(live.secret)
    assert refusal(caller, "heart") is None
    assert refusal(caller, "kore", "alloy") is None
    assert refusal(caller, "kore") == refusal(caller, "fable", "alloy") == "voice_not_allowed"
    assert refusal(caller, "Heart") == "voice_not_allowed"


async def test_without_lists_every_voice_will_do(live: IssuedKey) -> None:
    async with admission() as door:
        assert refusal(await door.identify(live.secret), "any") is None


async def test_a_voice_that_is_forbidden_now_is_not_spoken_although_it_was_allowed(live: IssuedKey) -> None:
    async with admission() as door:
        await leave(door, await enter(door, live))
        caller = await door.identify(live.secret)
        caller.require_voice("heart", "alloy")
        await restrict(live, allowed_voices=["kore"])
        with pytest.raises(PermissionDenied) as refused:
            await door.admit(caller, ASKED, started=time.perf_counter())
        assert (refused.value.code, refused.value.param) == ("voice_not_allowed", "voice")


async def test_the_stricter_limit_of_key_and_organization_counts(acme: Organization, live: IssuedKey) -> None:
    await restrict(live, requests_per_minute=5, characters_per_request=9000, characters_per_month=700)
    await elsewhere(lambda: limit(acme, concurrent_requests=3, characters_per_request=800))
    async with admission() as door:
        limits = (await door.identify(live.secret)).limits
    assert (limits.requests_per_minute, limits.concurrent_requests) == (5, 3)
    assert (limits.characters_per_request, limits.characters_per_month) == (800, 700)


async def test_a_key_is_slowed_down_and_its_organization_is_not(acme: Organization, live: IssuedKey) -> None:
    await restrict(live, requests_per_minute=2)
    other = await elsewhere(
        lambda: issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None)
    )
    async with admission() as door:
        first = await enter(door, live)
        assert (first.standing.requests_limit, first.standing.requests_remaining) == (2, 1)
        assert 29 < first.standing.reset_seconds <= 30
        await enter(door, live)
        with pytest.raises(RateLimited) as hurried:
            await enter(door, live)
        assert "with this key" in hurried.value.message
        assert int(hurried.value.headers["Retry-After"]) == 30
        assert hurried.value.standing
        assert (hurried.value.standing.requests_limit, hurried.value.standing.requests_remaining) == (2, 0)
        assert (await enter(door, other)).standing.requests_remaining == 597


async def test_a_key_runs_one_at_a_time_where_it_may(live: IssuedKey) -> None:
    await restrict(live, concurrent_requests=1)
    async with admission() as door:
        first = await enter(door, live)
        assert (first.standing.concurrent_now, first.standing.concurrent_limit) == (1, 1)
        with pytest.raises(RateLimited) as crowded:
            await enter(door, live)
        assert crowded.value.code == "too_many_concurrent_requests"
        assert crowded.value.standing
        assert (crowded.value.standing.concurrent_now, crowded.value.standing.concurrent_limit) == (1, 1)
        assert crowded.value.standing.requests_remaining == 599
        await leave(door, first)
        assert await enter(door, live)


async def test_a_restriction_holds_for_the_very_next_request_and_can_be_lifted(live: IssuedKey) -> None:
    async with admission() as door:
        await enter(door, live)
        await restrict(live, requests_per_minute=1)
        assert (await enter(door, live)).standing.requests_limit == 1
        with pytest.raises(RateLimited):
            await enter(door, live)
        await restrict(live, requests_per_minute=None)
        assert (await enter(door, live)).standing.requests_limit == 600


async def test_without_redis_a_key_keeps_to_its_own_cap(acme: Organization, live: IssuedKey) -> None:
    await restrict(live, concurrent_requests=1)
    other = await elsewhere(
        lambda: issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None)
    )
    async with redis_behind_a_wire() as (url, wire), admission(url) as door:
        await wire.cut()
        first = await enter(door, live)
        assert (first.standing.concurrent_now, first.standing.characters_remaining) == (1, None)
        with pytest.raises(RateLimited) as crowded:
            await enter(door, live)
        assert "with this key" in crowded.value.message
        assert (await enter(door, other)).standing.concurrent_now == 2


async def test_headers_tell_where_the_caller_stands(acme: Organization, live: IssuedKey) -> None:
    async with admission() as door:
        assert (await enter(door, live)).headers == {
            "X-RateLimit-Limit": "600",
            "X-RateLimit-Remaining": "599",
            "X-RateLimit-Reset": "1",
        }
        await elsewhere(lambda: limit(acme, characters_per_month=100))
        headers = (await enter(door, live)).headers
        assert (headers["X-Quota-Limit"], headers["X-Quota-Remaining"]) == ("100", "90")
