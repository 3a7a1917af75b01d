"""UUIDv7: order, the time inside, and bounds of ranges."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.core.ids import new_request_id, uuid7, uuid7_floor, uuid7_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS_SECONDS = 230 * 365 * 24 * 3600
MOMENTS = st.integers(1000, YEARS_SECONDS * 10**6).map(lambda us: EPOCH + timedelta(microseconds=us))
MILLISECOND = timedelta(milliseconds=1)


def test_version_and_variant_are_those_of_the_rfc() -> None:
    value = uuid7()
    assert (value.version, value.variant) == (7, uuid.RFC_4122)


def test_each_sorts_after_the_one_before_however_fast() -> None:
    values = [uuid7() for _ in range(20_000)]
    assert values == sorted(values)
    assert len(set(values)) == len(values)


def test_threads_never_share_one() -> None:
    with ThreadPoolExecutor(8) as threads:
        lots = list(threads.map(lambda _: [uuid7() for _ in range(2_000)], range(8)))
    assert len({value for lot in lots for value in lot}) == 16_000
    assert all(lot == sorted(lot) for lot in lots)


def test_it_tells_when_it_was_made() -> None:
    before = datetime.now(UTC)
    made = uuid7_time(uuid7())
    assert before - MILLISECOND <= made <= datetime.now(UTC) + timedelta(milliseconds=50)


@given(MOMENTS)
def test_a_floor_holds_its_moment_to_the_millisecond(moment: datetime) -> None:
    held = uuid7_time(uuid7_floor(moment))
    assert held <= moment < held + MILLISECOND


@given(MOMENTS)
def test_a_floor_sorts_before_all_of_its_millisecond_and_after_all_before(moment: datetime) -> None:
    floor = uuid7_floor(moment)
    assert uuid7_floor(moment - MILLISECOND) < floor
    assert floor.int & ((1 << 62) - 1) == 0
    assert floor < uuid7_floor(moment + MILLISECOND)


def test_request_ids_have_a_prefix_and_sort_by_time() -> None:
    first, second = new_request_id(), new_request_id()
    assert first.startswith("req_")
    assert len(first) == 36
    assert first < second
