"""What was asked of one deployment, by hour or day: its requests beside what its machines cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from apps.deployments import costs
from apps.deployments.models import Deployment
from apps.usage import figures
from apps.usage.reports import Totals, per_audio_minute, summed_through
from apps.usage.spans import DAY, HOUR, Span, hour_of, midnight

_NOTHING: Final = dict.fromkeys(figures.SUMS, 0)


@dataclass(frozen=True, slots=True)
class Range:
    """The last `count` hours or days, the one that goes on included."""

    label: str
    count: int
    step: timedelta

    @property
    def unit(self) -> str:
        return "hour" if self.step == HOUR else "day"

    def slots(self, now: datetime) -> list[datetime]:
        """When each began, oldest first; in UTC."""
        last = hour_of(now) if self.step == HOUR else midnight(now.date())
        return [last - self.step * number for number in reversed(range(self.count))]


RANGES: Final[Mapping[str, Range]] = {
    "24h": Range("24 hours", 24, HOUR),
    "7d": Range("7 days", 7, DAY),
    "30d": Range("30 days", 30, DAY),
}


@dataclass(frozen=True, kw_only=True)
class Slot(Totals):
    """Of one hour or day, from `begins` on."""

    begins: datetime

    @property
    def broken(self) -> int:
        """Failed, or cut after audio had begun; what its caller cancelled is neither."""
        return self.failed + self.cut


@dataclass(frozen=True, kw_only=True)
class Whole(Slot):
    """Of all of a range. `cost_usd` is of its machines in that time, whether or not somebody used them."""

    slots: list[Slot]
    cost_usd: Decimal

    @property
    def cost_per_audio_minute_usd(self) -> Decimal | None:
        return per_audio_minute(self.cost_usd, self.audio_ms)

    @property
    def broken_share(self) -> float:
        return self.broken / self.requests if self.requests else 0.0


def report(deployment: Deployment, organization_id: UUID, wanted: Range) -> Whole:
    """Four queries, whatever was asked of it."""
    now = timezone.now()
    begins = wanted.slots(now)
    span = Span(begins[0], begins[-1] + wanted.step, summed_through())
    who = {"organization_id": organization_id, "deployment_id": deployment.pk}
    found = {_moment(row[wanted.unit]): row for row in figures.read(span, who, (wanted.unit,), latency=True)}
    (whole,) = figures.read(span, who, latency=True)
    return Whole.of(
        whole,
        begins=begins[0],
        slots=[Slot.of(found.get(moment) or _nothing(), begins=moment) for moment in begins],
        cost_usd=costs.of(deployment.runs.all(), since=begins[0], until=now),
    )


def _nothing() -> dict[str, Any]:
    return _NOTHING | {name: [] for name in figures.LATENCY}


def _moment(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else midnight(value)
