"""What deployments cost, from their runs: in US dollars, by Decimal.

A machine is paid for by the begun minute, a replica of a serverless container by the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import (
    Case,
    DecimalField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Ceil, Coalesce, Greatest, Least
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.partitions import month_after
from apps.deployments.models import Deployment, Run

ZERO = Decimal(0)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_MONEY = DecimalField(max_digits=20, decimal_places=6)


@dataclass(frozen=True, slots=True)
class Spending:
    """Of a UTC month: what it cost so far, what it costs an hour now, and what it will come to at that rate.

    `is_estimated` where any of it was started and ended by its provider alone.
    """

    month_to_date: Decimal
    per_hour: Decimal
    forecast: Decimal
    is_estimated: bool


NOTHING = Spending(ZERO, ZERO, ZERO, is_estimated=False)


def of(runs: QuerySet[Run], *, since: datetime, until: datetime) -> Decimal:
    """Of what ran between the two moments."""
    total: Decimal = _priced(runs, since, until).aggregate(sum=_SUM)["sum"]
    return total.quantize(Decimal("0.000001"))


def by_deployment(
    organization: Organization | None, *, since: datetime, until: datetime
) -> Mapping[UUID, Decimal]:
    rows = _priced(Run.objects.filter(organization=organization), since, until)
    return dict(rows.values_list("deployment_id").annotate(sum=_SUM).order_by())


def seconds_by_deployment(
    organization: Organization | None, *, since: datetime, until: datetime
) -> Mapping[UUID, float]:
    """How long its replicas ran together, as they are paid for."""
    rows = _priced(Run.objects.filter(organization=organization), since, until)
    return dict(rows.values_list("deployment_id").annotate(sum=Sum("billed_seconds")).order_by())


def whole(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Each with `cost`, of all its time until now."""
    return _priced(runs, _LONG_AGO, timezone.now())


def per_hour(runs: QuerySet[Run]) -> Decimal:
    """What runs now costs in an hour."""
    rate: Decimal = runs.filter(ended_at=None).aggregate(
        sum=Coalesce(Sum("price_per_hour"), Value(ZERO), output_field=_MONEY)
    )["sum"]
    return rate


def spending(organization: Organization, now: datetime | None = None) -> Spending:
    """Of an organization's own deployments, this month."""
    return spending_of(Run.objects.filter(organization=organization), now)


def spending_of(runs: QuerySet[Run], now: datetime | None = None) -> Spending:
    now = now or timezone.now()
    return _spending(_priced(runs, month_of(now), now).aggregate(**_FIGURES), now)


def of_deployment(deployment: Deployment, now: datetime | None = None) -> Spending:
    return spending_of(deployment.runs.all(), now)


def of_each(runs: QuerySet[Run], now: datetime | None = None) -> Mapping[UUID, Spending]:
    """This month's by deployment, in one query; what ran for none of them is not there."""
    now = now or timezone.now()
    rows = _priced(runs, month_of(now), now).order_by().values("deployment_id").annotate(**_FIGURES)
    return {row["deployment_id"]: _spending(row, now) for row in rows}


def with_spending(deployments: Iterable[Any]) -> list[Any]:
    """Each with its `spending` of this month, in one query for all of them."""
    found, now = list(deployments), timezone.now()
    each = of_each(Run.objects.filter(deployment__in=[deployment.pk for deployment in found]), now)
    for deployment in found:
        deployment.spending = each.get(deployment.pk, NOTHING)
    return found


def dearest(organization: Organization, now: datetime | None = None) -> list[Any]:
    """Deployments that ran for an organization this month, each with its `spending`, the dearest first."""
    each = of_each(Run.objects.filter(organization=organization), now)
    found: list[Any] = list(Deployment.objects.filter(pk__in=each).only("name"))
    for deployment in found:
        deployment.spending = each[deployment.pk]
    return sorted(found, key=lambda deployment: (-deployment.spending.month_to_date, deployment.name))


def month_of(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


class _Seconds(Func):
    """Of an interval."""

    template = "EXTRACT(EPOCH FROM %(expressions)s)"
    output_field = FloatField()


def _priced(runs: QuerySet[Run], since: datetime, until: datetime) -> QuerySet[Run]:
    """Each with `cost`."""
    within = runs.filter(Q(ended_at=None) | Q(ended_at__gt=since), started_at__lte=until)
    ends = Least(Coalesce("ended_at", Value(until)), Value(until))
    starts = Greatest("started_at", Value(since))
    seconds = _Seconds(ends - starts)
    billed = Case(
        When(is_estimated=True, then=seconds),
        default=Ceil(ExpressionWrapper(seconds / 60.0, output_field=FloatField())) * 60.0,
        output_field=FloatField(),
    )
    return within.annotate(billed_seconds=billed).annotate(
        cost=ExpressionWrapper(F("billed_seconds") * F("price_per_hour") / 3600, output_field=_MONEY)
    )


_SUM = Coalesce(Sum("cost"), Value(ZERO), output_field=_MONEY)
_FIGURES = {
    "so_far": _SUM,
    "rate": Coalesce(Sum("price_per_hour", filter=Q(ended_at=None)), Value(ZERO), output_field=_MONEY),
    "any_estimated": BoolOr("is_estimated", default=Value(False)),
}


def _spending(figures: Mapping[str, Any], now: datetime) -> Spending:
    so_far, rate = figures["so_far"].quantize(Decimal("0.000001")), figures["rate"]
    hours_left = Decimal((month_after(month_of(now)) - now).total_seconds()) / 3600
    return Spending(so_far, rate, so_far + rate * hours_left, figures["any_estimated"])
