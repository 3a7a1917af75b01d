from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.webhooks import schedule

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize("tries", range(1, len(schedule.DELAYS) + 1))
def test_each_delay_is_that_of_the_schedule_give_or_take_a_fifth(tries: int) -> None:
    delay = schedule.DELAYS[tries - 1]
    waits = [schedule.retry_in(tries) for _ in range(200)]
    assert all(wait is not None and 0.8 * delay <= wait <= 1.2 * delay for wait in waits)
    assert len(set(waits)) > 100


def test_after_the_tenth_attempt_there_is_none() -> None:
    assert schedule.ATTEMPTS == 10
    assert schedule.retry_in(10) is None
    assert schedule.retry_in(11) is None


@pytest.mark.parametrize(
    ("asked_seconds", "seconds"), [(400, 400), (600, 600), (601, 600), (86_400, 600), (10**9, 600)]
)
def test_what_the_receiver_asks_for_counts_up_to_twice_the_delay(asked_seconds: int, seconds: int) -> None:
    asked = timedelta(seconds=asked_seconds)
    assert schedule.retry_in(2, retry_after=asked) == timedelta(seconds=seconds)


@pytest.mark.parametrize("asked_seconds", [-5, 0, 1, 299])
def test_less_than_the_delay_changes_nothing(asked_seconds: int) -> None:
    wait = schedule.retry_in(2, retry_after=timedelta(seconds=asked_seconds))
    assert wait is not None
    assert timedelta(seconds=240) <= wait <= timedelta(seconds=360)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("99999999999999999999", 10**6),
        ("9" * 8000, 10**6),
        ("0" * 8000 + "7", 7),
        ("Sun, 29 Nov 2026 12:02:00 GMT", 120),
        ("Sun, 29 Nov 2026 12:02:00 -0000", 120),
        ("Sun, 29 Nov 2026 11:00:00 GMT", -3600),
    ],
)
def test_a_header_is_seconds_or_a_date(header: str, seconds: int) -> None:
    assert schedule.retry_after_of(header, NOW) == timedelta(seconds=seconds)


_FAR_AWAY = "Sun, 29 Nov 2026 12:02:00 +99999999999999999999"


@pytest.mark.parametrize(
    "header", [None, "", "soon", "-3", "1.5", "٣", "Sun, 99 Nov 2026 12:02:00 GMT", _FAR_AWAY]
)
def test_what_says_nothing_is_nothing(header: str | None) -> None:
    assert schedule.retry_after_of(header, NOW) is None
