"""Rate and concurrency in Redis: one Lua call to admit, a renewal while a request runs, a release at its end.

Redis holds only what can be rebuilt. A lease that nobody renews is gone after 30 s, so that a killed process
holds none for longer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from apps.accounts.policy import redis_key as policy_key
from apps.core.redis_client import connect_async
from apps.usage.limits import Limits

logger = structlog.get_logger(__name__)

LEASE_SECONDS = 30
RENEW_SECONDS = 10
MAX_CONNECTIONS = 200
_SCRIPT = (Path(__file__).parent / "admission.lua").read_text()
_RENEW = """
local time = redis.call('TIME')
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
for index = 2, #ARGV do redis.call('ZADD', KEYS[1], expires, ARGV[index]) end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]))
"""


class Freshness(IntEnum):
    """How an identity's policy version came to be known."""

    CACHED = 0
    READ = 1
    INSISTED = 2


class RedisAway(Exception):
    """Redis did not answer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of admission: `word` is ok, stale, rate or concurrency; the numbers depend on it."""

    word: str
    first: int
    second: int


def rate_key(organization_id: UUID, mode: str) -> str:
    return f"{{{organization_id}}}:rate:{mode}"


def lease_key(organization_id: UUID, mode: str) -> str:
    return f"{{{organization_id}}}:leases:{mode}"


class Leases:
    """The leases of one speech process, on one event loop."""

    def __init__(self, url: str) -> None:
        self._redis = connect_async(url, max_connections=MAX_CONNECTIONS)
        self._script = self._redis.register_script(_SCRIPT)
        self._renew_script = self._redis.register_script(_RENEW)
        self._held: dict[str, set[str]] = {}
        self._renewer: asyncio.Task[None] | None = None
        self._releases: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._renewer = asyncio.create_task(self._renew_forever())

    async def stop(self) -> None:
        if self._renewer:
            self._renewer.cancel()
        await asyncio.gather(*self._releases, return_exceptions=True)
        await self._redis.aclose()

    async def acquire(
        self,
        *,
        organization_id: UUID,
        mode: str,
        lease_id: UUID,
        policy_version: int,
        fresh: Freshness,
        limits: Limits,
    ) -> Verdict:
        """One Lua call. Raises `RedisAway`."""
        key = lease_key(organization_id, mode)
        keys = [policy_key(organization_id), rate_key(organization_id, mode), key]
        arguments: list[str | int] = [
            policy_version,
            int(fresh),
            limits.requests_per_minute,
            limits.concurrent_requests,
            str(lease_id),
            LEASE_SECONDS * 1000,
        ]
        try:
            word, first, second = await self._script(keys=keys, args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisAway(type(error).__name__) from error
        except asyncio.CancelledError:
            # The caller has left while Redis was deciding: whatever it decided is given back.
            self._give_back(key, lease_id)
            raise
        if word == b"ok":
            self._held.setdefault(key, set()).add(str(lease_id))
        return Verdict(word.decode(), int(first), int(second))

    async def policy_version(self, organization_id: UUID) -> int:
        """The one that was published last, 0 where Redis has none. Raises `RedisAway`."""
        try:
            return int(await self._redis.get(policy_key(organization_id)) or 0)
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisAway(type(error).__name__) from error

    def release(self, *, organization_id: UUID, mode: str, lease_id: UUID) -> None:
        """Gives a lease back without making the caller wait; a release that is lost expires by itself."""
        key = lease_key(organization_id, mode)
        held = self._held.get(key)
        if held is None or str(lease_id) not in held:
            return
        held.discard(str(lease_id))
        if not held:
            del self._held[key]
        self._give_back(key, lease_id)

    def _give_back(self, key: str, lease_id: UUID) -> None:
        task = asyncio.create_task(self._release(key, str(lease_id)))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)

    async def _release(self, key: str, lease_id: str) -> None:
        try:
            await self._redis.zrem(key, lease_id)
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("lease not released", error=type(error).__name__)

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for key in list(self._held):
                try:
                    await self._renew(key)
                except (RedisError, OSError, TimeoutError) as error:
                    logger.warning("leases not renewed", error=type(error).__name__)
                    break

    async def _renew(self, key: str) -> None:
        """Also brings back what Redis forgot, but nothing that was released meanwhile."""
        renewed = tuple(self._held.get(key, ()))
        if not renewed:
            return
        await self._renew_script(keys=[key], args=[LEASE_SECONDS * 1000, *renewed])
        released = set(renewed).difference(self._held.get(key, ()))
        if released:
            await self._redis.zrem(key, *released)
