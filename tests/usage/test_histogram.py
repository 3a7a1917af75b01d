"""Quantiles from buckets against those of the values themselves."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from apps.usage.histogram import BUCKET_SQL, LAST_BUCKET, RELATIVE_ERROR, quantile, value_of


def bucketed(values: list[float]) -> tuple[list[int], list[int]]:
    """As SQL puts them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {BUCKET_SQL} AS bucket, count(*) FROM unnest(%s::float8[]) AS v (ttfb_ms) "  # noqa: S608
            "GROUP BY bucket ORDER BY bucket",
            [values],
        )
        buckets, counts = zip(*cursor.fetchall(), strict=True)
    return list(buckets), list(counts)


def percentile_cont(values: list[float], fraction: float) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_cont(%s) WITHIN GROUP (ORDER BY v) FROM unnest(%s::float8[]) AS v",
            [fraction, values],
        )
        return float(cursor.fetchone()[0])


def test_the_error_is_at_most_two_and_a_half_per_cent() -> None:
    assert RELATIVE_ERROR < 0.0245


@pytest.mark.django_db
def test_every_value_from_a_millisecond_to_an_hour_is_told_within_it() -> None:
    rng = random.Random(1)
    values = [1.0, 1.05, 3_599_999.0, *(10 ** rng.uniform(0, 6.556) for _ in range(2000))]
    for value in values:
        (bucket,), _ = bucketed([value])
        assert abs(value_of(bucket) - value) <= value * RELATIVE_ERROR * 1.000001


@pytest.mark.django_db
@pytest.mark.parametrize(("value", "bucket"), [(0.0, 0), (0.4, 0), (-3.0, 0), (1e9, LAST_BUCKET)])
def test_values_outside_fall_into_the_first_and_the_last(value: float, bucket: int) -> None:
    assert bucketed([value]) == ([bucket], [1])


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 2, 3, 10, 5000])
@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.95, 1.0])
def test_quantiles_are_those_of_the_values(count: int, fraction: float) -> None:
    rng = random.Random(count)
    values = [rng.lognormvariate(4, 1.5) + 1 for _ in range(count)]
    exact = percentile_cont(values, fraction)
    assert quantile(*bucketed(values), fraction) == pytest.approx(exact, rel=RELATIVE_ERROR * 1.000001)


def test_of_nothing_there_is_none() -> None:
    assert quantile([], [], 0.5) is None
