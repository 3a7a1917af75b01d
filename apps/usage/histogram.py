"""Latencies as counts in buckets that grow by 5 %: those of any period can be added up.

A value from 1 ms to an hour is told from its bucket with a relative error of at most 2.44 %
(`RELATIVE_ERROR`), and so is a quantile, which lies on or between two values; under 1 ms counts as 1 ms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

GROWTH = 1.05
RELATIVE_ERROR = (GROWTH - 1) / (GROWTH + 1)
LAST_BUCKET = math.floor(math.log(3_600_000) / math.log(GROWTH))
# Bucket n holds [GROWTH ** n, GROWTH ** (n + 1)) ms.
BUCKET_SQL = f"least(floor(ln(greatest(ttfb_ms, 1)) / ln({GROWTH}::float8))::int, {LAST_BUCKET})"


def value_of(bucket: int) -> float:
    """The value, in ms, that is off by the same share from both ends of the bucket."""
    return float(2 * GROWTH ** (bucket + 1) / (GROWTH + 1))


def quantile(buckets: Sequence[int], counts: Sequence[int], fraction: float) -> float | None:
    """As `percentile_cont` of the values, in ms; `None` without values. `buckets` ascend."""
    ends = list(accumulate(counts))
    if not ends:
        return None
    rank = (ends[-1] - 1) * fraction
    below, above = (
        value_of(next(bucket for bucket, end in zip(buckets, ends, strict=True) if end > place))
        for place in (math.floor(rank), math.ceil(rank))
    )
    return below + (above - below) * (rank - math.floor(rank))
