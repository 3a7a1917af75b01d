"""What is measured of deliveries; of the whole platform, whichever process is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import redis
import structlog
from django.db import connection
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from apps.core import metrics
from apps.core.ids import uuid7_time
from apps.core.redis_client import shared
from apps.webhooks.models import Attempt

logger = structlog.get_logger(__name__)

_COUNTS: Final = "webhooks:attempts"
_OUTCOMES: Final = (Attempt.Outcome.DELIVERED, Attempt.Outcome.FAILED)
# Materialized: else the planner may walk through all that was ever delivered to find the oldest that was not.
_OLDEST = """
WITH waiting AS MATERIALIZED (
    SELECT delivery.id FROM webhooks_delivery AS delivery
    JOIN webhooks_endpoint AS endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.state = 'pending' AND endpoint.disabled_at IS NULL AND endpoint.deleted_at IS NULL
)
SELECT id FROM waiting ORDER BY id LIMIT 1
"""


class _Attempts(Collector):
    def describe(self) -> list[Metric]:
        return []  # nothing is asked at registration

    def collect(self) -> Iterator[Metric]:
        counted = CounterMetricFamily(
            "voiceflow_webhook_attempts",
            "Attempts to deliver an event, by how they went.",
            labels=["outcome"],
        )
        try:
            for outcome, count in attempts_by_outcome().items():
                counted.add_metric([outcome], count)
        except redis.RedisError as error:
            logger.info("attempts not told, Redis is away", error=type(error).__name__)
        yield counted


def register() -> None:
    """Once in a process."""
    if not _registered:
        _registered.append(_Attempts())
        REGISTRY.register(_registered[0])
        metrics.tell_from_database(metrics.WEBHOOK_OLDEST_UNDELIVERED_SECONDS, oldest_undelivered_seconds)


_registered: list[_Attempts] = []


def count(outcome: str) -> None:
    try:
        shared().hincrby(_COUNTS, outcome)
    except redis.RedisError as error:
        logger.info("attempt not counted, Redis is away", error=type(error).__name__)


def attempts_by_outcome() -> dict[str, int]:
    """Since Redis began to count. Raises `redis.RedisError`."""
    found = shared().hgetall(_COUNTS)
    return {str(outcome): int(found.get(outcome.encode(), 0)) for outcome in _OUTCOMES}


def oldest_undelivered_seconds() -> float:
    """0 where nothing waits."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        row = cursor.fetchone()
    return max((timezone.now() - uuid7_time(row[0])).total_seconds(), 0.0) if row else 0.0
