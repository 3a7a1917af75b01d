"""What deployments cost, from their runs: in US dollars, by Decimal.

A machine is paid for by the begun minute, a replica of a serverless container by the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

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


def of(runs: QuerySet[Run], *, since: datetime, until: datetime) -> Decimal:
    """Of what ran between the two moments."""
    total: Decimal = _priced(runs, since, until).aggregate(sum=_SUM)["sum"]
    return total.quantize(Decimal("0.000001"))


def by_deployment(
    organization: Organization | None, *, since: datetime, until: datetime
) -> Mapping[UUID, Decimal]:
    rows = _priced(Run.objects.filter(organization=organization), since, until)
    return dict(rows.values_list("deployment_id").annotate(sum=_SUM).order_by())


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
    begins = month_of(now)
    so_far, rate = of(runs, since=begins, until=now), per_hour(runs)
    hours_left = Decimal((month_after(begins) - now).total_seconds()) / 3600
    this_month = runs.filter(Q(ended_at=None) | Q(ended_at__gt=begins))
    return Spending(
        month_to_date=so_far,
        per_hour=rate,
        forecast=so_far + rate * hours_left,
        is_estimated=this_month.filter(is_estimated=True).exists(),
    )


def of_deployment(deployment: Deployment, now: datetime | None = None) -> Spending:
    return spending_of(deployment.runs.all(), now)


def month_of(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


class _Seconds(Func):
    """Of an interval."""

    template = "EXTRACT(EPOCH FROM %(expressions)s)"
    output_field = FloatField()


def _priced(runs: QuerySet[Run], since: datetime, until: datetime) -> QuerySet[Run]:
    """Each with `cost`."""
    within = runs.filter(Q(ended_at=None) | Q(ended_at__gt=since), started_at__lt=until)
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
