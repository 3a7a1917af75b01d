"""What a process notes of a worker: how fast slots are freed, and when it rests. Times are made up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.deployments.load import Load, seconds_until_served


def serving(every_seconds: float, count: int, *, start: float = 0.0) -> Load:
    """Busy from `start` on, with one slot freed each time that long has passed."""
    load = Load()
    load.take(start)
    for number in range(1, count + 1):
        load.take(start + number * every_seconds)
        load.free(start + number * every_seconds)
    return load


def test_slots_freed_are_counted_by_time() -> None:
    load = serving(0.5, 10)
    assert load.slots_a_second(now=5.0) == pytest.approx(2.0)
    assert seconds_until_served([load], 9, now=5.0) == pytest.approx(5.0)


def test_only_the_last_ones_count() -> None:
    load = serving(4.0, 40)
    for number in range(1, 41):
        load.take(160 + number * 0.25)
        load.free(160 + number * 0.25)
    assert load.slots_a_second(now=170.0) == pytest.approx(4.0)


def test_idleness_says_nothing() -> None:
    load = Load()
    for hour in range(10):
        load.take(hour * 3600)
        load.free(hour * 3600 + 0.5)
    assert load.slots_a_second(now=40_000) == pytest.approx(2.0)


def test_workers_add_up() -> None:
    loads = [serving(0.5, 10), serving(1.0, 5)]
    assert seconds_until_served(loads, 11, now=5.0) == pytest.approx(4.0)


def test_with_nothing_freed_yet_the_estimate_grows_with_the_wait() -> None:
    load = Load()
    load.take(0.0)
    assert seconds_until_served([load], 0, now=1.0) == pytest.approx(2.0)
    assert seconds_until_served([load], 0, now=30.0) == pytest.approx(30.0)


def test_a_stall_is_no_time_to_promise_speed() -> None:
    load = serving(0.1, 32)
    assert seconds_until_served([load], 0, now=3.2) == pytest.approx(0.1)
    assert seconds_until_served([load], 0, now=23.2) == pytest.approx(20.0)


def test_nobody_is_told_to_come_before_a_rest_ends() -> None:
    load = serving(0.1, 32)
    load.is_full(3.2, 7)
    assert seconds_until_served([load], 0, now=3.2) == pytest.approx(7.0)


def test_failures_rest_it_longer_each_time_and_at_most_ten_seconds() -> None:
    load = Load()
    assert [load.fails(0.0) for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    assert load.rests_until == 10


@pytest.mark.parametrize(("said", "rests"), [(3, 3), (0, 0.5), (3600, 60)])
def test_a_full_worker_rests_as_long_as_it_said_within_reason(said: float, rests: float) -> None:
    load = Load()
    assert load.is_full(100.0, said) == rests
    assert (load.rests_until, load.failing_until) == (100 + rests, 0)


def test_being_seen_ready_later_ends_a_rest() -> None:
    load = Load()
    load.fails(0.0)
    load.fails(0.0)
    load.seen(timezone.now() - timedelta(seconds=1), has_room=True)
    assert load.rests_until == 1.0
    load.seen(timezone.now() + timedelta(seconds=1), has_room=True)
    assert load.rests_until == 0.0
    assert load.fails(0.0) == 0.5


def test_being_seen_ready_without_room_ends_no_rest_of_a_full_one() -> None:
    load = Load()
    load.is_full(0.0, 20)
    load.fails(0.0)
    later = timezone.now() + timedelta(seconds=1)
    load.seen(later, has_room=False)
    assert (load.rests_until, load.failing_until) == (20.0, 0.0)
    load.seen(later, has_room=True)
    assert load.rests_until == 0.0
