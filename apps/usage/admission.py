"""Admission and settlement of a speech request: who calls, may it run now, and how it ended.

The rules are those of the contract: PostgreSQL holds the truth (`ledger`), Redis only what can be rebuilt
(`leases`). Refusals are counters, never rows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from apps.core.errors import Unavailable
from apps.core.ids import uuid7
from apps.core.standing import Standing
from apps.core.threads import BlockingThreads
from apps.keys import identity as identities
from apps.keys.identity import Identity
from apps.keys.services import USED_EVERY_SECONDS, touch_keys
from apps.usage.caller import Caller as Caller
from apps.usage.leases import Freshness, Leases, RedisAway, Verdict
from apps.usage.ledger import Ledger
from apps.usage.limits import OrganizationPolicy, policies
from apps.usage.places import Lease, Place, bounds_of
from apps.usage.quota import charged_this_month, month_of
from apps.usage.standing import (
    headers_of,
    standing_of,
    standing_without_redis,
    too_fast,
    too_many,
    used_up,
)
from apps.usage.statements import OpenRow, Settlement

logger = structlog.get_logger(__name__)

DATABASE_THREADS = 4
# A reading of the policy for each freshness, and one of the counter of each place; and the decision.
MAX_ASKED = 6
# Keys whose last use a process keeps; it is noted again where it forgot.
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is recorded with; it names a resolved model and voice.

    `body_hash` is the same for the same body sent to the same path: by it a retry is known.
    """

    request_id: str
    surface: str
    model: str
    voice: str
    characters: int
    body_hash: UUID | None = None


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
    lease: Lease
    standing: Standing
    settled: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return headers_of(self.standing)


class Admission:
    """The door of one speech process, on one event loop."""

    def __init__(self, *, ledger: Ledger, leases: Leases) -> None:
        self._ledger = ledger
        self._leases = leases
        self._rehydrations: dict[Place, asyncio.Task[None]] = {}
        self._touched: dict[UUID, float] = {}
        self._threads = BlockingThreads(DATABASE_THREADS, name="admission")
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, *self._rehydrations.values(), return_exceptions=True)
        self._threads.stop()

    async def identify(self, raw_key: str | None, *, address: str | None = None) -> Caller:
        """Who holds this key. Raises `Unauthenticated`, `PermissionDenied`, or `Unavailable`.

        An `address` that is not known is refused where the key or its organization is bound to some.
        """
        parsed = identities.parse_or_refuse(raw_key)
        identity = identities.cached(parsed)
        caller = await self._caller(identity, lambda: identities.load(parsed))
        caller.require_address(address)
        return caller

    async def identify_by(self, reload: Callable[[], Identity]) -> Caller:
        """As `identify`, for a caller without a key: `reload` reads its identity from the database."""
        return await self._caller(None, reload)

    async def admit(self, caller: Caller, asked: Asked, *, started: float) -> Admitted:
        """Takes a lease and begins to open the row; `started` is `time.perf_counter()` at arrival.

        Raises `RateLimited`, `QuotaExceeded`, `PermissionDenied` where a restriction was made just now, or
        `Unavailable` where Redis is away and the caller cannot go on without it.
        """
        record_id = uuid7()
        lease, standing = await self._acquire(caller, record_id, asked.characters)
        identity = caller.identity
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
            body_hash=asked.body_hash,
        )
        self._note_use(identity.key_id)
        return Admitted(record_id, identity, started, self._ledger.open(row), lease, standing)

    async def renew_if_stale(self, caller: Caller) -> bool:
        """Reads the caller anew where its organization's policy has changed meanwhile; whether it had.

        Raises as `identify` does, and `PermissionDenied` where a restriction was made just now.
        """
        identity = caller.identity
        try:
            version = await self._leases.policy_version(identity.organization_id)
        except RedisAway:
            return False  # nothing of it is remembered for longer than a second
        if version <= identity.policy_version:
            return False
        caller.renew(*await self._read(caller.reload))
        return True

    def settle(self, admitted: Admitted, outcome: Outcome) -> float:
        """Closes the row and gives the lease back, once; answers the total time in ms. Never waits."""
        total_ms = (time.perf_counter() - admitted.started) * 1000
        if admitted.settled:
            return total_ms
        admitted.settled = True
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
        self._leases.settle(admitted.lease, charged=outcome.characters_charged)
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

        return await self._threads.run(read)

    async def _acquire(self, caller: Caller, record_id: UUID, characters: int) -> tuple[Lease, Standing]:
        """Asks Redis until it decides: after a reading of the policy, or of a month's counter, once more."""
        month, readings = month_of(record_id), iter(Freshness)
        fresh = next(readings)
        for _ in range(MAX_ASKED):
            identity = caller.identity
            limits = caller.policy.of(identity.mode)
            lease = Lease(str(record_id), characters, bounds_of(identity, limits, month))
            try:
                verdict = await self._leases.acquire(
                    lease,
                    organization_id=identity.organization_id,
                    policy_version=identity.policy_version,
                    fresh=fresh,
                )
                if verdict.word == "rehydrate":
                    await self._rehydrate(lease.bounds[verdict.refusing].place)
                    continue
            except RedisAway as error:
                return lease, self._without_redis(lease, error)
            if verdict.word != "stale":
                return lease, _admitted(lease, verdict)
            fresh = next(readings, Freshness.INSISTED)
            caller.renew(*await self._read(caller.reload))
        raise Unavailable("The organization's settings are changing. Try again.")

    def _without_redis(self, lease: Lease, error: RedisAway) -> Standing:
        """Live keys go on under a cap of this process; test keys wait until Redis is back."""
        logger.warning("admission without Redis", error=str(error))
        if lease.bounds[0].place.mode == "test":
            raise Unavailable("Test keys cannot be admitted right now.", code="admission_away")
        running = [self._leases.running(bound.place) for bound in lease.bounds]
        for bound, count in zip(lease.bounds, running, strict=True):
            if bound.concurrent_requests and count >= bound.concurrent_requests:
                raise too_many(bound, standing_without_redis(lease, running[0]))
        self._leases.hold_without_redis(lease)
        return standing_without_redis(lease, running[0] + 1)

    async def _rehydrate(self, place: Place) -> None:
        """Brings a month's counter back from PostgreSQL, once for all who wait for it. Raises `RedisAway`."""
        task = self._rehydrations.get(place)
        if task is None:
            task = self._rehydrations[place] = asyncio.create_task(self._rebase(place))
            task.add_done_callback(lambda _: self._rehydrations.pop(place, None))
            # Whoever waits may leave before it fails.
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(task)

    async def _rebase(self, place: Place) -> None:
        # What this process has settled and not written yet is in no counter: it is written first.
        await self._ledger.flush()
        await self._leases.flush()
        used = await self._threads.run(
            lambda: charged_this_month(
                place.organization_id, place.mode, month=place.month, key_id=place.key_id
            )
        )
        await self._leases.rebase(place, used=used)

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
            await self._threads.run(lambda: touch_keys([key_id]))
        except Unavailable:
            self._touched.pop(key_id, None)


def _admitted(lease: Lease, verdict: Verdict) -> Standing:
    """Raises what refuses: `RateLimited` or `QuotaExceeded`."""
    match verdict.word:
        case "rate":
            raise too_fast(lease, verdict)
        case "concurrency":
            raise too_many(lease.bounds[verdict.refusing], standing_of(lease, verdict))
        case "quota":
            raise used_up(lease, verdict)
    return standing_of(lease, verdict)
