"""What was used, for pages and API: each figure of a page in one query, over the partitions of its time.

An organization's figures count all its requests; `mode` narrows them to live or test keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DateField, F, FloatField, Func, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.accounts.models import Organization
from apps.keys.models import ApiKey
from apps.usage.models import UsageRecord

MAX_DAYS = 366


class Percentile(Aggregate):
    """`percentile_cont` of a number over the rows where it is known."""

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: str, *, fraction: float, **extra: Any) -> None:
        super().__init__(expression, fraction=fraction, **extra)


class StartedDay(Func):
    """The UTC day of a UUIDv7."""

    template = "((to_timestamp(('x' || substr(replace(%(expressions)s::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0) AT TIME ZONE 'UTC')::date)"  # noqa: E501

    def __init__(self, expression: str) -> None:
        super().__init__(expression, output_field=DateField())


@dataclass(frozen=True)
class Period:
    """Whole UTC days, both included."""

    first: date
    last: date

    @classmethod
    def days(cls, count: int, *, today: date | None = None) -> Period:
        last = today or timezone.now().date()
        return cls(last - timedelta(days=count - 1), last)

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time.min, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time.min, tzinfo=UTC)

    def each_day(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class Totals:
    """Sums over a period; latencies are of live and test requests that gave audio, in milliseconds."""

    requests: int
    ok: int
    characters: int
    characters_charged: int
    audio_ms: int
    engine_ms: int
    ttfb_p50_ms: float | None
    ttfb_p95_ms: float | None

    @property
    def error_rate(self) -> float:
        return 1 - self.ok / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class DayUsage:
    day: date
    requests: int
    characters: int
    audio_ms: int


@dataclass(frozen=True)
class KeyUsage:
    """`key` is `None` for the playground."""

    key: ApiKey | None
    requests: int
    characters: int
    audio_ms: int


def records(
    organization: Organization, period: Period, *, key_id: Any = None, mode: str | None = None
) -> QuerySet[UsageRecord]:
    """The scoped rows that every figure here, page and API, is made of."""
    rows: QuerySet[UsageRecord] = UsageRecord.objects.for_organization(organization).between(
        period.start, period.end
    )
    if key_id is not None:
        rows = rows.filter(key_id=key_id)
    return rows.filter(mode=mode) if mode else rows


def totals(rows: QuerySet[UsageRecord]) -> Totals:
    figures = rows.aggregate(
        requests=Count("id"),
        ok=Count("id", filter=Q(state=UsageRecord.State.OK)),
        characters=Coalesce(Sum("characters"), 0),
        characters_charged=Coalesce(Sum("characters_charged"), 0),
        audio_ms=Coalesce(Sum("audio_ms"), 0),
        engine_ms=Coalesce(Sum("engine_ms"), 0),
        ttfb_p50_ms=Percentile("ttfb_ms", fraction=0.5),
        ttfb_p95_ms=Percentile("ttfb_ms", fraction=0.95),
    )
    return Totals(**figures)


def daily(rows: QuerySet[UsageRecord], period: Period) -> list[DayUsage]:
    """One entry for each day of the period, oldest first, days without use included."""
    found = {
        row["day"]: row
        for row in rows.order_by()
        .annotate(day=StartedDay("id"))
        .values("day")
        .annotate(requests=Count("id"), characters_sum=Sum("characters"), audio_sum=Sum("audio_ms"))
    }
    return [
        DayUsage(day, row["requests"], row["characters_sum"], row["audio_sum"])
        if (row := found.get(day))
        else DayUsage(day, 0, 0, 0)
        for day in period.each_day()
    ]


def by_key(rows: QuerySet[UsageRecord]) -> list[KeyUsage]:
    """Most characters first."""
    found = list(
        rows.order_by()
        .values("key_id")
        .annotate(requests=Count("id"), characters_sum=Sum("characters"), audio_sum=Sum("audio_ms"))
        .order_by(F("characters_sum").desc(), "key_id")
    )
    keys = ApiKey.objects.in_bulk([row["key_id"] for row in found if row["key_id"]])
    return [
        KeyUsage(keys.get(row["key_id"]), row["requests"], row["characters_sum"], row["audio_sum"])
        for row in found
    ]


def recent(organization: Organization, limit: int = 10) -> list[UsageRecord]:
    return list(
        UsageRecord.objects.for_organization(organization).select_related("key").order_by("-id")[:limit]
    )
