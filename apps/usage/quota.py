"""Characters of a month: whose month a request belongs to, and what PostgreSQL says was charged in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from apps.usage import figures
from apps.usage.reports import Period, summed_through
from apps.usage.spans import Span

_EPOCH = date(1970, 1, 1)
_DAY_MS = 24 * 3600 * 1000


def month_of(record_id: UUID) -> date:
    """The first day of the UTC month in which a request began."""
    return _month_of_day((record_id.int >> 80) // _DAY_MS)


@lru_cache(maxsize=64)
def _month_of_day(day: int) -> date:
    return (_EPOCH + timedelta(days=day)).replace(day=1)


def month_end(month: date) -> datetime:
    """When the next month begins, in UTC."""
    return Period.month(month).end


def charged_this_month(organization_id: UUID, mode: str, *, month: date, key_id: UUID | None = None) -> int:
    """Characters charged so far for requests that began in the month, of one key or of all of the mode."""
    period = Period.month(month)
    who: dict[str, Any] = {"organization_id": organization_id, "mode": mode}
    if key_id is not None:
        who["key_id"] = key_id
    span = Span(period.start, period.end, summed_through())
    (row,) = figures.read(span, who, sums=("characters_charged",))
    return int(row["characters_charged"])
