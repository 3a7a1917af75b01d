"""Who caused what shared deployments cost: by the engine time of their requests, the rest the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from apps.deployments import costs
from apps.deployments.models import Deployment
from apps.usage import figures
from apps.usage.reports import summed_through
from apps.usage.spans import Span


@dataclass(frozen=True, slots=True)
class SharedCost:
    """Of one shared deployment, in US dollars. `parts` are by organization; with `idle` they make `cost`."""

    deployment: Deployment
    cost: Decimal
    parts: Mapping[UUID, Decimal]
    idle: Decimal


def split(since: datetime, until: datetime) -> list[SharedCost]:
    """Each shared deployment that cost anything between the two moments, whole hours, dearest first.

    A machine that speaks several at once is not paid for twice: what they together took of its engine is at
    most all of its time.
    """
    spent = costs.by_deployment(None, since=since, until=until)
    seconds = costs.seconds_by_deployment(None, since=since, until=until)
    rows = figures.read(
        Span(since, until, summed_through()), {}, ("deployment_id", "organization_id"), sums=("engine_ms",)
    )
    used: dict[UUID, dict[UUID, int]] = {}
    for row in rows:
        used.setdefault(row["deployment_id"], {})[row["organization_id"]] = row["engine_ms"]
    deployments = Deployment.objects.in_bulk(list(spent))
    shared = [
        _split(deployments[key], cost, Decimal(seconds[key]) * 1000, used.get(key, {}))
        for key, cost in spent.items()
        if cost
    ]
    return sorted(shared, key=lambda one: -one.cost)


def this_month() -> list[SharedCost]:
    now = timezone.now()
    return split(costs.month_of(now), now)


def _split(
    deployment: Deployment, cost: Decimal, run_ms: Decimal, engine_ms: Mapping[UUID, int]
) -> SharedCost:
    took = Decimal(sum(engine_ms.values()))
    whole = max(run_ms, took) or Decimal(1)
    parts = {organization: cost * ms / whole for organization, ms in engine_ms.items() if ms}
    return SharedCost(deployment, cost, parts, cost - sum(parts.values(), Decimal(0)))
