"""A door of the speech process over the real PostgreSQL and Redis, and what others do meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.db import connection

from apps.accounts.models import Organization, User
from apps.accounts.services import create_organization
from apps.keys import identity
from apps.keys.services import IssuedKey, issue_key
from apps.usage.admission import Admission, Admitted, Asked, Outcome
from apps.usage.leases import Leases
from apps.usage.models import UsageRecord
from apps.usage.services import set_limits
from tests.usage.ledgers import Books

Result = TypeVar("Result")
ASKED = Asked(request_id="req_1", surface="generate", model="hibari", voice="heart", characters=10)
OK = Outcome(state="ok", characters_charged=10, audio_ms=600)


@pytest.fixture
def acme(transactional_db: None) -> Iterator[Organization]:
    """Committed: admission reads on connections of its own threads."""
    identity.cache.clear()
    yield create_organization(name="Acme", owner=User.objects.create_user("alice@acme.example"))
    identity.cache.clear()


@pytest.fixture
def live(acme: Organization) -> IssuedKey:
    return issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None)


@pytest.fixture
def test_key(acme: Organization) -> IssuedKey:
    return issue_key(organization=acme, name="n", mode="test", scopes=["speech"], created_by=None)


test_key.__test__ = False  # type: ignore[attr-defined]


@asynccontextmanager
async def admission(redis_url: str | None = None) -> AsyncIterator[Admission]:
    books, leases = Books(), Leases(redis_url or settings.REDIS_URL)
    door = Admission(ledger=await books.ledger(), leases=leases)
    try:
        yield door
    finally:
        await door.stop()
        await books.close()
        await leases.stop()


async def elsewhere(act: Callable[[], Result]) -> Result:
    """In another thread with a connection of its own, as another process would."""

    def run() -> Result:
        try:
            return act()
        finally:
            connection.close()

    return await asyncio.to_thread(run)


async def enter(door: Admission, key: IssuedKey, **asked: Any) -> Admitted:
    """`asked` differs from `ASKED`: a text of 10 characters."""
    caller = await door.identify(key.secret)
    return await door.admit(caller, replace(ASKED, **asked), started=time.perf_counter())


async def leave(door: Admission, admitted: Admitted, **outcome: Any) -> None:
    """Settles, and returns when Redis and PostgreSQL know."""
    await admitted.opened
    door.settle(admitted, replace(OK, **outcome))
    await door._leases.flush()
    await until(lambda: elsewhere(lambda: _is_closed(admitted)))


def _is_closed(admitted: Admitted) -> bool:
    return UsageRecord.objects.exclude(state="open").filter(pk=admitted.record_id).exists()


async def until(ask: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await ask():  # noqa: ASYNC110 - another process's commit tells nobody
            await asyncio.sleep(0.02)


def limit(organization: Organization, **limits: Any) -> None:
    unset: dict[str, Any] = {
        "requests_per_minute": None,
        "concurrent_requests": None,
        "characters_per_request": None,
    }
    set_limits(organization=organization, **unset | limits)
