"""Rate, concurrency and quota in Redis: one Lua call admits, and gives back what ended since the last one.

Redis holds only what can be rebuilt. A lease that nobody renews is gone after 30 s, and what it has reserved
of a month with it, so that a killed process holds neither for longer. A month's counter is read from
PostgreSQL where it is missing, and lives for ten minutes: whatever it has missed (a settlement that was lost
on its way, a credit that only PostgreSQL knows of) is put right by its next reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from apps.accounts.policy import redis_key as policy_key
from apps.core.multiplexed_redis import MultiplexedRedis, Script
from apps.core.redis_client import connect
from apps.usage.places import Lease, Place
from apps.usage.returns import RETURN_SECONDS, Returned, Returns

logger = structlog.get_logger(__name__)

LEASE_SECONDS = 30
RENEW_SECONDS = 10
QUOTA_SECONDS = 600
AWAY_ERRORS = (RedisError, OSError, TimeoutError)
_FOLDER = Path(__file__).parent / "lua"
_COMMON = (_FOLDER / "common.lua").read_text()
_LIFETIME_MS = LEASE_SECONDS * 1000


class Freshness(IntEnum):
    """How an identity's policy version came to be known."""

    CACHED = 0
    READ = 1
    INSISTED = 2


class RedisAway(Exception):
    """Redis did not answer."""


class Figures(NamedTuple):
    """Of one place: requests left, ms until all of them are, what runs, characters used and reserved.

    `used` is -1 where Redis does not know it, or nothing limits it.
    """

    requests_left: int
    full_ms: int
    in_flight: int
    used: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of admission: `word` is ok, stale, rate, concurrency, quota or rehydrate.

    `refusing` is the index of the place in the lease that says so, `figures` are those of each.
    """

    word: str
    refusing: int = 0
    wait_ms: int = 0
    figures: tuple[Figures, ...] = ()


class Leases:
    """The leases of one speech process, on one event loop."""

    def __init__(self, url: str, *, return_seconds: float = RETURN_SECONDS) -> None:
        """A lease that has ended waits at most `return_seconds` for an admission to go along with."""
        self._redis = MultiplexedRedis(url)
        self._admit_script = self._script("admit")
        self._settle_script = self._script("settle")
        self._renew_script = self._script("renew")
        self._rebase_script = self._script("rebase")
        # Of each place, what runs: lease → characters reserved.
        self._held: dict[Place, dict[str, int]] = {}
        # Leases of organizations that others may keep waiting: those are given back at once.
        self._crowded: set[str] = set()
        # Places whose counters have missed something while Redis was away.
        self._uncounted: set[Place] = set()
        self._renewer: asyncio.Task[None] | None = None
        self._returns = Returns(self._give_back, wait_seconds=return_seconds)

    async def start(self) -> None:
        self._renewer = asyncio.create_task(self._renew_forever())

    async def stop(self) -> None:
        if self._renewer:
            self._renewer.cancel()
        await self._returns.flush()
        await self._redis.close()

    async def acquire(
        self, lease: Lease, *, organization_id: UUID, policy_version: int, fresh: Freshness
    ) -> Verdict:
        """One Lua call. Raises `RedisAway`."""
        keys = [policy_key(organization_id)]
        arguments: list[str | int] = [
            policy_version,
            int(fresh),
            lease.id,
            _LIFETIME_MS,
            lease.characters,
            len(lease.bounds),
        ]
        for bound in lease.bounds:
            keys += bound.place[:4]
            arguments += bound[1:]
        ended: list[Returned] = []
        try:
            if self._uncounted:
                await self._recount()
            ended = self._returns.take(organization_id)
            _append(ended, keys, arguments)
            verdict = _read(await self._admit_script(keys=keys, args=arguments))
        except AWAY_ERRORS as error:
            self._missed(ended)
            raise RedisAway(type(error).__name__) from error
        except asyncio.CancelledError:
            # The caller has left while Redis was deciding: whatever it decided is given back.
            self._missed(ended)
            self._returns.add(Returned(lease, 0), at_once=True)
            raise
        if verdict.word == "ok":
            self._hold(lease)
            if _is_crowded(lease, verdict):
                self._crowded.add(lease.id)
        return verdict

    async def policy_version(self, organization_id: UUID) -> int:
        """The one that was published last, 0 where Redis has none. Raises `RedisAway`."""
        try:
            return int(await self._redis.run("GET", policy_key(organization_id)) or 0)
        except AWAY_ERRORS as error:
            raise RedisAway(type(error).__name__) from error

    def hold_without_redis(self, lease: Lease) -> None:
        """For a request that goes on although Redis is away: the next renewal that gets through tells it."""
        self._hold(lease)
        if lease.is_limited:
            self._uncounted |= {bound.place for bound in lease.bounds if bound.characters_per_month}

    def running(self, place: Place) -> int:
        """How many requests of this process hold a lease there."""
        return len(self._held.get(place, ()))

    def settle(self, lease: Lease, *, charged: int) -> None:
        """Gives a lease back, once, without making the caller wait; one that is lost lapses by itself."""
        held = [self._let_go(bound.place, lease.id) for bound in lease.bounds]
        if any(held):
            self._returns.add(Returned(lease, charged), at_once=lease.id in self._crowded)
            self._crowded.discard(lease.id)

    async def flush(self) -> None:
        """Returns when Redis knows what was given back."""
        await self._returns.flush()

    async def rebase(self, place: Place, *, used: int) -> None:
        """Sets a month's counter to what PostgreSQL says was charged. Raises `RedisAway`.

        Where Redis has forgotten the counter, it has forgotten what this process reserved, too.
        """
        try:
            await self._renew(place)
            await self._rebase_script(
                keys=[place.quota, place.reservations], args=[used, QUOTA_SECONDS * 1000]
            )
        except AWAY_ERRORS as error:
            raise RedisAway(type(error).__name__) from error

    def _script(self, name: str) -> Script:
        source = (_FOLDER / f"{name}.lua").read_text()
        return self._redis.script(f"{_COMMON}\n{source}")

    def _hold(self, lease: Lease) -> None:
        for bound in lease.bounds:
            reserved = lease.characters if bound.characters_per_month else 0
            self._held.setdefault(bound.place, {})[lease.id] = reserved

    def _let_go(self, place: Place, lease_id: str) -> bool:
        held = self._held.get(place)
        if held is None or held.pop(lease_id, None) is None:
            return False
        if not held:
            del self._held[place]
        return True

    async def _give_back(self, ended: Sequence[Returned]) -> None:
        keys: list[str] = []
        arguments: list[str | int] = []
        _append(ended, keys, arguments)
        try:
            await self._settle_script(keys=keys, args=arguments)
        except AWAY_ERRORS as error:
            logger.warning("leases not given back", count=len(ended), error=type(error).__name__)
            self._uncount(ended)

    def _missed(self, ended: Sequence[Returned]) -> None:
        """Of what went along with an admission that got no answer: Redis may know of it or not."""
        self._uncount(ended)
        for lease, _ in ended:
            self._returns.add(Returned(lease, 0), at_once=False)

    def _uncount(self, ended: Sequence[Returned]) -> None:
        for lease, _ in ended:
            self._uncounted |= {bound.place for bound in lease.bounds if bound.characters_per_month}

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._recount()
                for place in list(self._held):
                    await self._renew(place)
            except AWAY_ERRORS as error:
                logger.warning("leases not renewed", error=type(error).__name__)

    async def _renew(self, place: Place) -> None:
        """Also brings back what Redis forgot, but nothing that was given back meanwhile."""
        renewed = dict(self._held.get(place, ()))
        if not renewed:
            return
        pairs = [word for pair in renewed.items() for word in pair]
        await self._renew_script(keys=list(place[1:4]), args=[_LIFETIME_MS, *pairs])
        for lease_id in renewed.keys() - self._held.get(place, {}).keys():
            await self._settle_script(keys=list(place[1:4]), args=[lease_id, renewed[lease_id], 0, 1])

    async def _recount(self) -> None:
        """Drops the counters that have missed something: they are read from PostgreSQL when asked for."""
        while self._uncounted:
            place = self._uncounted.pop()
            try:
                await self._redis.run("DEL", place.quota)
            except BaseException:
                self._uncounted.add(place)
                raise


def _append(ended: Sequence[Returned], keys: list[str], arguments: list[str | int]) -> None:
    """As `give_back` of lua/common.lua reads them."""
    for lease, charged in ended:
        for bound in lease.bounds:
            keys += bound.place[1:4]
        arguments += (lease.id, lease.characters if lease.is_limited else 0, charged, len(lease.bounds))


def _is_crowded(lease: Lease, verdict: Verdict) -> bool:
    """Whether half of what may run at once does."""
    return any(
        0 < bound.concurrent_requests < 2 * at.in_flight
        for bound, at in zip(lease.bounds, verdict.figures, strict=True)
    )


def _read(answer: bytes) -> Verdict:
    word, *rest = answer.split()
    if not rest:
        return Verdict(word.decode())
    refusing, wait_ms, *figures = map(int, rest)
    width = len(Figures._fields)
    return Verdict(
        word.decode(),
        max(0, refusing - 1),
        wait_ms,
        tuple(Figures(*figures[at : at + width]) for at in range(0, len(figures), width)),
    )


def forget_counters(places: Iterable[Place]) -> None:
    """Has months' counters read from PostgreSQL anew when they are next asked for."""
    try:
        with connect() as client:
            client.delete(*{place.quota for place in places})
    except AWAY_ERRORS as error:
        logger.warning("counters not forgotten", error=type(error).__name__)
