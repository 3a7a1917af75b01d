"""What was used, for pages and API: each figure of a page in one query, whatever the number of requests.

Whole days are read from their sums, the rest of the days that are not whole yet by hour, and what is not
summed up from records (`apps.usage.figures`); the figures are those that a sum over all records would give.
An organization's figures count all its requests; `mode` narrows them to live or test keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from django.db.models import Aggregate, FloatField, QuerySet
from django.utils import timezone

from apps.accounts.models import Organization
from apps.deployments import costs
from apps.deployments.models import Deployment
from apps.keys.models import ApiKey
from apps.usage import figures
from apps.usage.histogram import quantile
from apps.usage.models import RollupState, UsageRecord
from apps.usage.spans import DAY, Span, midnight
from apps.voices.models import Voice

MAX_DAYS = 366
_CLONED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Percentile(Aggregate):
    """`percentile_cont` of a number over the rows where it is known."""

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: str, *, fraction: float, **extra: Any) -> None:
        super().__init__(expression, fraction=fraction, **extra)


@dataclass(frozen=True)
class Period:
    """Whole UTC days, both included."""

    first: date
    last: date

    @classmethod
    def days(cls, count: int, *, today: date | None = None) -> Period:
        last = today or timezone.now().date()
        return cls(last - timedelta(days=count - 1), last)

    @classmethod
    def month(cls, day: date) -> Period:
        """The whole month of that day."""
        first = day.replace(day=1)
        return cls(first, (first + 31 * DAY).replace(day=1) - DAY)

    @property
    def start(self) -> datetime:
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        return midnight(self.last + DAY)

    def each_day(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class Selection:
    """Whose requests of which days every figure here, page and API, is made of."""

    organization: Organization
    period: Period
    key_id: UUID | None
    mode: str | None
    through: datetime | None

    @property
    def records(self) -> QuerySet[UsageRecord]:
        return records(self.organization, self.period, key_id=self.key_id, mode=self.mode)

    def read(self, *groups: str, latency: bool = False) -> list[dict[str, Any]]:
        who: dict[str, Any] = {"organization_id": self.organization.pk}
        if self.key_id is not None:
            who["key_id"] = self.key_id
        if self.mode:
            who["mode"] = self.mode
        span = Span(self.period.start, self.period.end, self.through)
        return figures.read(span, who, groups, latency=latency)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """`requests` also counts those that are open."""

    requests: int
    ok: int
    characters: int
    characters_charged: int
    characters_credited: int
    audio_ms: int

    @property
    def error_rate(self) -> float:
        return 1 - self.ok / self.requests if self.requests else 0.0


@dataclass(frozen=True, kw_only=True)
class Timed(Sums):
    """Latencies are of requests that gave audio, in milliseconds, within `histogram.RELATIVE_ERROR`."""

    ttfb_p50_ms: float | None
    ttfb_p95_ms: float | None

    @classmethod
    def of(cls, row: dict[str, Any], **more: Any) -> Self:
        buckets = row.pop("ttfb_buckets"), row.pop("ttfb_counts")
        names = cls.__dataclass_fields__
        kept = {name: value for name, value in row.items() if name in names}
        return cls(**kept, **more, ttfb_p50_ms=quantile(*buckets, 0.5), ttfb_p95_ms=quantile(*buckets, 0.95))


@dataclass(frozen=True, kw_only=True)
class Totals(Timed):
    failed: int
    cut: int
    cancelled: int
    engine_ms: int


@dataclass(frozen=True, kw_only=True)
class DayUsage(Sums):
    day: date


@dataclass(frozen=True, kw_only=True)
class KeyUsage(Timed):
    """Without an id: the playground's."""

    key_id: UUID | None
    key: ApiKey | None


@dataclass(frozen=True, kw_only=True)
class VoiceUsage(Timed):
    """`voice` is what requests name it by, which is an id for a cloned one; `name` what people call it."""

    voice: str
    name: str


@dataclass(frozen=True, kw_only=True)
class ModelUsage(Timed):
    model: str


@dataclass(frozen=True, kw_only=True)
class DeploymentUsage(Timed):
    """Without an id: requests that reached none. Without a deployment: one that is no more.

    `cost_usd` is what the machines of one's own cost in that time, whoever or nobody used them; `None` for
    shared ones, and where only a part of the requests is looked at.
    """

    deployment_id: UUID | None
    deployment: Deployment | None
    cost_usd: Decimal | None = None

    @property
    def cost_per_audio_minute_usd(self) -> Decimal | None:
        return per_audio_minute(self.cost_usd, self.audio_ms)


def per_audio_minute(cost_usd: Decimal | None, audio_ms: int) -> Decimal | None:
    if cost_usd is None or not audio_ms:
        return None
    return (cost_usd * 60_000 / audio_ms).quantize(Decimal("0.000001"))


def records(
    organization: Organization, period: Period, *, key_id: UUID | None = None, mode: str | None = None
) -> QuerySet[UsageRecord]:
    rows: QuerySet[UsageRecord] = UsageRecord.objects.for_organization(organization).between(
        period.start, period.end
    )
    if key_id is not None:
        rows = rows.filter(key_id=key_id)
    return rows.filter(mode=mode) if mode else rows


def select(
    organization: Organization, period: Period, *, key_id: UUID | None = None, mode: str | None = None
) -> Selection:
    """One query: how far requests are summed up."""
    return Selection(organization, period, key_id, mode, summed_through())


def summed_through() -> datetime | None:
    return RollupState.objects.values_list("through", flat=True).first()


def requests_between(start: datetime, end: datetime) -> int:
    """Of all organizations; `start` lies within the time that hours are kept for."""
    (row,) = figures.read(Span(start, end, summed_through()), {}, sums=("requests",))
    return int(row["requests"])


def totals(selection: Selection) -> Totals:
    return Totals.of(selection.read(latency=True)[0])


def daily(selection: Selection) -> list[DayUsage]:
    """One entry for each day of the period, oldest first, days without use included."""
    names = DayUsage.__dataclass_fields__
    found = {row["day"]: row for row in selection.read("day")}
    nothing = dict.fromkeys(figures.SUMS, 0)
    rows = (found.get(day, nothing | {"day": day}) for day in selection.period.each_day())
    return [DayUsage(**{name: row[name] for name in names}) for row in rows]


def by_key(selection: Selection) -> list[KeyUsage]:
    """Most characters first."""
    rows = _largest_first(selection.read("key_id", latency=True), "key_id")
    keys = ApiKey.objects.in_bulk([row["key_id"] for row in rows if row["key_id"]])
    return [KeyUsage.of(row, key=keys.get(row["key_id"])) for row in rows]


def by_voice(selection: Selection) -> list[VoiceUsage]:
    rows = _largest_first(selection.read("voice", latency=True), "voice")
    names = voice_names(selection.organization, [row["voice"] for row in rows])
    return [VoiceUsage.of(row, name=names.get(row["voice"], row["voice"])) for row in rows]


def by_model(selection: Selection) -> list[ModelUsage]:
    return [ModelUsage.of(row) for row in _largest_first(selection.read("model", latency=True), "model")]


def by_deployment(selection: Selection) -> list[DeploymentUsage]:
    rows = _largest_first(selection.read("deployment_id", latency=True), "deployment_id")
    deployments = Deployment.objects.in_bulk([row["deployment_id"] for row in rows if row["deployment_id"]])
    spent = _spent(selection, deployments.values())
    return [
        DeploymentUsage.of(
            row,
            deployment=deployments.get(row["deployment_id"]),
            cost_usd=spent.get(row["deployment_id"]),
        )
        for row in rows
    ]


def _spent(selection: Selection, deployments: Iterable[Deployment]) -> Mapping[UUID, Decimal]:
    is_whole = selection.key_id is None and selection.mode is None
    if not is_whole or not any(one.organization_id == selection.organization.pk for one in deployments):
        return {}
    until = min(selection.period.end, timezone.now())
    return costs.by_deployment(selection.organization, since=selection.period.start, until=until)


def recent(organization: Organization, limit: int = 10) -> list[UsageRecord]:
    return list(
        UsageRecord.objects.for_organization(organization).select_related("key").order_by("-id")[:limit]
    )


def voice_names(organization: Organization, voices: Iterable[str]) -> dict[str, str]:
    """What an organization calls its cloned voices, ended ones too, by their ids as requests carry them.

    No query where no voice is one of them.
    """
    ids = {voice for voice in voices if _CLONED.fullmatch(voice)}
    if not ids:
        return {}
    found = Voice.objects.for_organization(organization).filter(pk__in=ids)
    return {str(voice_id): name for voice_id, name in found.values_list("pk", "name")}


def _largest_first(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (-row["characters"], str(row[column])))
