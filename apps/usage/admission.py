"""Admission and settlement of a speech request: who calls, may it run now, and how it ended.

The rules are those of the contract: PostgreSQL holds the truth (`ledger`), Redis only what can be rebuilt
(`leases`). Refusals are counters, never rows.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import structlog
from django.db import DatabaseError, close_old_connections, connection

from apps.core.errors import RateLimited, Unavailable
from apps.core.ids import uuid7
from apps.keys import identity as identities
from apps.keys.identity import Identity
from apps.keys.services import USED_EVERY_SECONDS, touch_keys
from apps.usage.leases import Freshness, Leases, RedisAway, Verdict
from apps.usage.ledger import Ledger, OpenRow, Settlement
from apps.usage.limits import Limits, OrganizationPolicy, policies

logger = structlog.get_logger(__name__)

Result = TypeVar("Result")
DATABASE_THREADS = 4
# Keys whose last use a process keeps; it is noted again where it forgot.
REMEMBERED = 10_000


@dataclass(slots=True)
class Caller:
    """An identity with its limits, and how to read both again when they turn out stale."""

    identity: Identity
    policy: OrganizationPolicy
    reload: Callable[[], Identity]

    @property
    def limits(self) -> Limits:
        return self.policy.of(self.identity.mode)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is recorded with; it names a resolved model and voice."""

    request_id: str
    surface: str
    model: str
    voice: str
    characters: int


@dataclass(slots=True)
class Outcome:
    """How a request ended: state ok, failed, cut or cancelled; characters as charged."""

    state: str = "failed"
    deployment_id: UUID | None = None
    characters_charged: int = 0
    audio_ms: int = 0
    engine_ms: int = 0
    ttfb_ms: float | None = None
    error_code: str = ""


@dataclass(slots=True)
class Admitted:
    """A request on its way: its row is being opened while the upstream is asked."""

    record_id: UUID
    identity: Identity
    started: float
    opened: asyncio.Future[None]
    headers: dict[str, str] = field(default_factory=dict)
    settled: bool = False


class Admission:
    """The door of one speech process, on one event loop."""

    def __init__(self, *, ledger: Ledger, leases: Leases) -> None:
        self._ledger = ledger
        self._leases = leases
        self._in_flight: Counter[tuple[UUID, str]] = Counter()
        self._touched: dict[UUID, float] = {}
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="admission")
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False)

    async def identify(self, raw_key: str | None) -> Caller:
        """Who holds this key. Raises `Unauthenticated`, `PermissionDenied`, or `Unavailable`."""
        parsed = identities.parse_or_refuse(raw_key)
        identity = identities.cached(parsed)
        return await self._caller(identity, lambda: identities.load(parsed))

    async def identify_by(self, reload: Callable[[], Identity]) -> Caller:
        """As `identify`, for a caller without a key: `reload` reads its identity from the database."""
        return await self._caller(None, reload)

    async def admit(self, caller: Caller, asked: Asked, *, started: float) -> Admitted:
        """Takes a lease and begins to open the row; `started` is `time.perf_counter()` at arrival.

        Raises `RateLimited`, or `Unavailable` where Redis is away and the caller cannot go on without it.
        """
        record_id = uuid7()
        verdict = await self._acquire(caller, record_id)
        identity = caller.identity
        headers = {
            "X-RateLimit-Limit": str(caller.limits.requests_per_minute),
            "X-RateLimit-Remaining": str(verdict.first),
        }
        self._in_flight[identity.organization_id, identity.mode] += 1
        row = OpenRow(
            id=record_id,
            organization_id=identity.organization_id,
            key_id=identity.key_id,
            request_id=asked.request_id,
            mode=identity.mode,
            surface=asked.surface,
            model=asked.model,
            voice=asked.voice,
            characters=asked.characters,
        )
        self._note_use(identity.key_id)
        return Admitted(record_id, identity, started, self._ledger.open(row), headers)

    async def renew_if_stale(self, caller: Caller) -> bool:
        """Reads the caller anew where its organization's policy has changed meanwhile; whether it had."""
        identity = caller.identity
        try:
            version = await self._leases.policy_version(identity.organization_id)
        except RedisAway:
            return False  # nothing of it is remembered for longer than a second
        if version <= identity.policy_version:
            return False
        caller.identity, caller.policy = await self._read(caller.reload)
        return True

    def settle(self, admitted: Admitted, outcome: Outcome) -> float:
        """Closes the row and gives the lease back, once; answers the total time in ms. Never waits."""
        total_ms = (time.perf_counter() - admitted.started) * 1000
        if admitted.settled:
            return total_ms
        admitted.settled = True
        identity = admitted.identity
        self._ledger.close(
            Settlement(
                id=admitted.record_id,
                state=outcome.state,
                deployment_id=outcome.deployment_id,
                characters_charged=outcome.characters_charged,
                audio_ms=outcome.audio_ms,
                engine_ms=outcome.engine_ms,
                ttfb_ms=outcome.ttfb_ms,
                total_ms=total_ms,
                error_code=outcome.error_code,
            )
        )
        place = (identity.organization_id, identity.mode)
        self._in_flight[place] -= 1
        if not self._in_flight[place]:
            del self._in_flight[place]
        self._leases.release(
            organization_id=identity.organization_id, mode=identity.mode, lease_id=admitted.record_id
        )
        return total_ms

    async def _caller(self, identity: Identity | None, reload: Callable[[], Identity]) -> Caller:
        policy = policies.known(identity) if identity else None
        if identity is None or policy is None:
            identity, policy = await self._read(reload)
        return Caller(identity, policy, reload)

    async def _read(self, reload: Callable[[], Identity]) -> tuple[Identity, OrganizationPolicy]:
        def read() -> tuple[Identity, OrganizationPolicy]:
            identity = reload()
            return identity, policies.of(identity)

        return await self._in_thread(read)

    async def _acquire(self, caller: Caller, record_id: UUID) -> Verdict:
        for fresh in Freshness:
            identity = caller.identity
            try:
                verdict = await self._leases.acquire(
                    organization_id=identity.organization_id,
                    mode=identity.mode,
                    lease_id=record_id,
                    policy_version=identity.policy_version,
                    fresh=fresh,
                    limits=caller.limits,
                )
            except RedisAway as error:
                return self._without_redis(caller, error)
            match verdict.word:
                case "ok":
                    return verdict
                case "rate":
                    raise RateLimited(
                        f"Over {caller.limits.requests_per_minute} requests a minute. Slow down.",
                        retry_after_seconds=verdict.first / 1000,
                    )
                case "concurrency":
                    raise self._too_many(caller)
            caller.identity, caller.policy = await self._read(caller.reload)
        raise Unavailable("The organization's settings are changing. Try again.")

    def _without_redis(self, caller: Caller, error: RedisAway) -> Verdict:
        """Live keys go on under a cap of this process; test keys wait until Redis is back."""
        logger.warning("admission without Redis", error=str(error))
        if caller.identity.mode == "test":
            raise Unavailable("Test keys cannot be admitted right now.", code="admission_away")
        place = (caller.identity.organization_id, caller.identity.mode)
        if self._in_flight[place] >= caller.limits.concurrent_requests:
            raise self._too_many(caller)
        return Verdict("ok", 0, self._in_flight[place])

    def _too_many(self, caller: Caller) -> RateLimited:
        return RateLimited(
            f"Over {caller.limits.concurrent_requests} requests at once. Wait for one to end.",
            code="too_many_concurrent_requests",
        )

    def _note_use(self, key_id: UUID | None) -> None:
        now = time.monotonic()
        if key_id is None or now - self._touched.get(key_id, -USED_EVERY_SECONDS) < USED_EVERY_SECONDS:
            return
        if len(self._touched) >= REMEMBERED:
            self._touched.clear()
        self._touched[key_id] = now
        task = asyncio.create_task(self._touch(key_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _touch(self, key_id: UUID) -> None:
        try:
            await self._in_thread(lambda: touch_keys([key_id]))
        except Unavailable:
            self._touched.pop(key_id, None)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        """Runs ORM work in a thread and gives its connection back at once."""

        def call() -> Result:
            close_old_connections()
            try:
                return work()
            finally:
                connection.close()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except DatabaseError as error:
            logger.warning("database away", error=type(error).__name__)
            raise Unavailable("The database is away; nothing was charged.", code="database_away") from error
