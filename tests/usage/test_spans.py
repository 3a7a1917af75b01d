"""A span taken apart: every moment is in exactly one part, and each part is what its table can give."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from apps.usage.spans import Span, hour_of, midnight

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def parts_of(span: Span) -> list[tuple[datetime, datetime]]:
    return [part for part in (span.days, *span.hours, *span.records) if part[0] < part[1]]


def moment(rng: random.Random, unit: timedelta) -> datetime:
    return BEGIN + rng.randrange(20 * DAY // unit) * unit


@pytest.mark.parametrize("seed", range(200))
def test_every_moment_is_in_one_part(seed: int) -> None:
    rng = random.Random(seed)
    unit = rng.choice([DAY, HOUR, timedelta(milliseconds=1)])
    start, end = sorted(moment(rng, unit) for _ in range(2))
    span = Span(start, end, rng.choice([None, *(moment(rng, HOUR) for _ in range(5))]))
    at = start
    for first, last in sorted(parts_of(span)):
        assert first == at
        at = last
    assert at == end
    assert all(day == midnight(day.date()) for day in span.days)
    assert all(hour == hour_of(hour) for part in span.hours if part[0] < part[1] for hour in part)
    if span.through:
        assert all(part[1] <= span.through for part in (span.days, *span.hours) if part[0] < part[1])


def test_whole_days_are_read_as_days_and_the_last_one_by_hour() -> None:
    through = BEGIN + 5 * DAY + 9 * HOUR
    span = Span(BEGIN, BEGIN + 30 * DAY, through)
    assert span.days == (BEGIN, BEGIN + 5 * DAY)
    assert (BEGIN + 5 * DAY, through) in span.hours
    assert span.records[-1] == (through, BEGIN + 30 * DAY)
    assert sum(first < last for first, last in (*span.hours, *span.records)) == 2
