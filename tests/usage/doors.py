"""One organization at policy version 1 that asks Redis for leases, without the database."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import redis.asyncio
from django.conf import settings

from apps.core.ids import uuid7
from apps.usage.leases import Freshness, Leases, Verdict
from apps.usage.places import Bound, Lease, Place, place_of
from apps.usage.quota import month_of
from tests.redises import client


class Door:
    """`ask` for a lease; what it got is the last of `asked`."""

    def __init__(self, leases: Leases, redis: redis.asyncio.Redis) -> None:
        self.leases, self.redis = leases, redis
        self.organization_id, self.key_id = uuid.uuid4(), uuid.uuid4()
        self.month = month_of(uuid7())
        self.asked: list[Lease] = []

    def place(self, mode: str = "live", *, month: date | None = None) -> Place:
        return place_of(self.organization_id, mode, None, month or self.month)

    @property
    def keys_place(self) -> Place:
        return place_of(self.organization_id, "live", self.key_id, self.month)

    def lease(
        self,
        *,
        rate: int = 600,
        at_once: int = 20,
        per_month: int = 0,
        characters: int = 10,
        mode: str = "live",
        own: tuple[int, int, int] | None = None,
        lease_id: str | None = None,
    ) -> Lease:
        """`own` are the key's limits: requests a minute, at once, characters a month; 0 where it has none."""
        bounds = [Bound(self.place(mode), rate, at_once, per_month)]
        if own:
            bounds.append(Bound(self.keys_place, *own))
        return Lease(lease_id or str(uuid.uuid4()), characters, tuple(bounds))

    async def ask(
        self,
        *,
        version: int = 1,
        fresh: Freshness = Freshness.READ,
        lease: Lease | None = None,
        **limits: Any,
    ) -> Verdict:
        lease = lease or self.lease(**limits)
        self.asked.append(lease)
        return await self.leases.acquire(
            lease, organization_id=self.organization_id, policy_version=version, fresh=fresh
        )

    async def settle(self, lease: Lease, *, charged: int = 0) -> None:
        """Returns when Redis knows."""
        self.leases.settle(lease, charged=charged)
        await self.leases.flush()

    async def shift_bucket(self, seconds: float, mode: str = "live") -> None:
        """As if the last request had been that long ago."""
        await self.redis.hincrby(self.place(mode).rate, "at", -int(seconds * 1000))

    async def in_flight(self, mode: str = "live") -> int:
        return int(await self.redis.zcard(self.place(mode).leases))

    async def count(self, place: Place | None = None) -> tuple[int, int]:
        """Characters used and reserved, as the month's counter has them."""
        used, reserved = await self.redis.hmget((place or self.place()).quota, "used", "reserved")
        return int(used), int(reserved)

    async def lapse(self, place: Place | None = None) -> None:
        """As if nobody had renewed any lease for 30 s; Redis has not dropped them yet."""
        place = place or self.place()
        for key in (place.leases, place.reservations):
            for member in await self.redis.zrange(key, 0, -1):
                await self.redis.zadd(key, {member: 1})


@asynccontextmanager
async def door_to(url: str | None = None, **how: Any) -> AsyncIterator[Door]:
    """Through `url`, where Redis can be away; the test itself looks into Redis directly."""
    leases, connection = Leases(url or settings.REDIS_URL, **how), client()
    await leases.start()
    yield Door(leases, connection)
    await leases.stop()
    await connection.aclose()
