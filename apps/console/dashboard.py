"""The first page of admin: what the platform does now, in figures that keep themselves fresh."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.console.provider_health import ProviderHealth, health_of_providers
from apps.console.state_counts import DEPLOYMENT_TONES, WORKER_TONES, StateCount, by_state
from apps.contributions.models import Clip, PayoutBatch
from apps.core.redis_client import connect
from apps.deployments.models import Deployment, Worker
from apps.usage.models import RollupState, SpeechProcess, UsageRecord
from apps.usage.reconciler import SILENT_AFTER
from apps.usage.reports import Percentile, requests_between
from apps.webhooks import measures
from apps.webhooks.models import Endpoint

BROKEN = [UsageRecord.State.FAILED, UsageRecord.State.CUT]
# Where Celery's messages wait, and those that a worker has taken and not finished.
_PREFIX = str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"])
QUEUE, UNFINISHED = f"{_PREFIX}celery", f"{_PREFIX}unacked"
LATEST = 8
WEBHOOKS_LATE_SECONDS = 60
BY_PLATFORM = [Endpoint.Disabled.FAILING, Endpoint.Disabled.GONE]
# The clocks of the speech processes are not quite this one.
AHEAD = timedelta(minutes=1)
# Sums are made each minute.
SUMS_LATE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Requests:
    """`last_*` are requests begun in that time; rate and latencies are of the last hour."""

    last_minute: int
    last_day: int
    last_hour: int
    broken: int
    p50_ms: float | None
    p95_ms: float | None
    open: int

    @property
    def error_rate(self) -> float | None:
        return self.broken / self.last_hour if self.last_hour else None


@dataclass(frozen=True)
class Redis:
    """`queue` is `None` where Redis does not answer."""

    ping_ms: float | None
    queue: int | None
    unfinished: int | None


@dataclass(frozen=True)
class Webhooks:
    """`delivered` and `failed` are attempts since Redis began to count; `None` where it does not answer."""

    delivered: int | None
    failed: int | None
    oldest_seconds: float
    failing: int
    disabled: int

    @property
    def oldest_ms(self) -> float:
        return self.oldest_seconds * 1000

    @property
    def is_late(self) -> bool:
        """Something waits longer than the first retries take, and no endpoint's failing explains it."""
        return self.oldest_seconds > WEBHOOKS_LATE_SECONDS and not self.failing


@dataclass(frozen=True)
class Collection:
    """Of voice collection: clips that wait for the pipeline and for people, batches that nobody approved."""

    to_check: int
    in_review: int
    drafts: int


@dataclass(frozen=True)
class Numbers:
    """`summed_up` is `None` before usage was summed up for the first time."""

    at: datetime
    requests: Requests
    deployments: list[StateCount]
    workers: list[StateCount]
    providers: list[ProviderHealth]
    organizations: int
    suspended: int
    people: int
    speech_processes: int
    database_ms: float
    redis: Redis
    webhooks: Webhooks
    collection: Collection
    summed_up: RollupState | None
    failures: list[UsageRecord]

    @property
    def sums_are_late(self) -> bool:
        """Pages get slower then; no figure gets wrong."""
        made_at = self.summed_up.rolled_up_at if self.summed_up else None
        return made_at is None or self.at - made_at > SUMS_LATE_AFTER


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's hook for the index page."""
    return context | {"numbers": numbers()}


def numbers() -> Numbers:
    now = timezone.now()
    organizations = Organization.objects.aggregate(
        all=Count("pk"), suspended=Count("pk", filter=Q(is_suspended=True))
    )
    return Numbers(
        at=now,
        requests=_requests(now),
        deployments=by_state(Deployment.objects.order_by(), DEPLOYMENT_TONES),
        workers=by_state(Worker.objects.exclude(state=Worker.State.LOST).order_by(), WORKER_TONES),
        providers=health_of_providers(now),
        organizations=organizations["all"],
        suspended=organizations["suspended"],
        people=User.objects.filter(is_active=True).count(),
        speech_processes=SpeechProcess.objects.filter(heartbeat_at__gte=now - SILENT_AFTER).count(),
        database_ms=_database_ms(),
        redis=_redis(),
        webhooks=_webhooks(),
        collection=_collection(),
        summed_up=RollupState.objects.first(),
        failures=_failures(now),
    )


def _requests(now: datetime) -> Requests:
    # Each counts by a range of ids, so that only the partitions and pages of that time are read.
    hour = _since(now, hours=1).aggregate(
        last_hour=Count("id"),
        broken=Count("id", filter=Q(state__in=BROKEN)),
        p50_ms=Percentile("ttfb_ms", fraction=0.5),
        p95_ms=Percentile("ttfb_ms", fraction=0.95),
    )
    return Requests(
        last_minute=_since(now, minutes=1).count(),
        last_day=requests_between(now - timedelta(days=1), now + AHEAD),
        open=UsageRecord.objects.filter(state=UsageRecord.State.OPEN).count(),
        **hour,
    )


def _failures(now: datetime) -> list[UsageRecord]:
    broken = _since(now, days=1).filter(state__in=BROKEN)
    return list(broken.select_related("organization").order_by("-id")[:LATEST])


def _since(now: datetime, **ago: int) -> QuerySet[UsageRecord]:
    return UsageRecord.objects.between(now - timedelta(**ago), now + AHEAD)


def _database_ms() -> float:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return (time.perf_counter() - began) * 1000


def _webhooks() -> Webhooks:
    kept = Endpoint.objects.kept()
    counts = kept.aggregate(
        failing=Count("pk", filter=Q(disabled_at=None, failing_since__isnull=False)),
        disabled=Count("pk", filter=Q(disabled_because__in=BY_PLATFORM)),
    )
    try:
        attempts = measures.attempts_by_outcome()
    except redis.RedisError:
        attempts = {}
    return Webhooks(
        delivered=attempts.get("delivered"),
        failed=attempts.get("failed"),
        oldest_seconds=measures.oldest_undelivered_seconds(),
        **counts,
    )


def _collection() -> Collection:
    # Each is counted from an index that holds these rows alone.
    return Collection(
        to_check=Clip.objects.filter(state__in=[Clip.State.UPLOADED, Clip.State.CHECKING]).count(),
        in_review=Clip.objects.filter(state=Clip.State.IN_REVIEW).count(),
        drafts=PayoutBatch.objects.filter(state=PayoutBatch.State.DRAFT).count(),
    )


def _redis() -> Redis:
    try:
        with connect() as client:
            client.ping()
            began = time.perf_counter()
            queue, unfinished = client.llen(QUEUE), client.hlen(UNFINISHED)
            return Redis((time.perf_counter() - began) * 1000 / 2, int(queue), int(unfinished))
    except redis.RedisError:
        return Redis(None, None, None)
