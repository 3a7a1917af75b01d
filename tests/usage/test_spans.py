"""A span taken apart: every moment is in exactly one part, and each part holds whole units of its table."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from apps.usage.spans import Span, Unit

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def moment(rng: random.Random, unit: timedelta) -> datetime:
    return BEGIN + rng.randrange(100 * DAY // unit) * unit


SIZES: list[dict[str, bool]] = [{}, {"by_day": True}, {"by_hour": True}]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("seed", range(200))
def test_every_moment_is_in_one_part(seed: int, sizes: dict[str, bool]) -> None:
    rng = random.Random(seed)
    unit = rng.choice([DAY, HOUR, timedelta(milliseconds=1)])
    start, end = sorted(moment(rng, unit) for _ in range(2))
    span = Span(start, end, rng.choice([None, *(moment(rng, HOUR) for _ in range(5))]))
    at = start
    for table, (first, last) in span.parts(**sizes):
        assert first == at
        assert first < last
        at = last
        if table is not None:
            assert table.begin(first) == first
            assert table.begin(last) == last
            assert last <= span.summed_to
            assert table is not Unit.MONTH or not sizes
            assert table is Unit.HOUR or "by_hour" not in sizes
    assert at == end


def test_the_largest_units_are_read() -> None:
    start, through = datetime(2026, 3, 30, tzinfo=UTC), datetime(2026, 6, 2, 9, tzinfo=UTC)
    days = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((4, 1), (6, 1), (6, 2))]
    end = start + 100 * DAY
    assert list(Span(start, end, through).parts()) == [
        (Unit.DAY, (start, days[0])),
        (Unit.MONTH, (days[0], days[1])),
        (Unit.DAY, (days[1], days[2])),
        (Unit.HOUR, (days[2], through)),
        (None, (through, end)),
    ]
    assert list(Span(start, end, through).parts(by_day=True)) == [
        (Unit.DAY, (start, days[2])),
        (Unit.HOUR, (days[2], through)),
        (None, (through, end)),
    ]


def test_without_sums_all_is_read_as_records() -> None:
    assert list(Span(BEGIN, BEGIN + DAY, None).parts()) == [(None, (BEGIN, BEGIN + DAY))]
    assert list(Span(BEGIN, BEGIN, None).parts()) == []
