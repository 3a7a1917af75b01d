"""Sums by hour, day and month: exact at any moment, however often, late or interrupted they are made."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Organization
from apps.keys.services import issue_key
from apps.usage import reports
from apps.usage.models import RollupState, UsageDay, UsageHour, UsageMonth, UsageRecord
from apps.usage.quota import charged_this_month
from apps.usage.reconciler import reconcile
from apps.usage.reports import Period
from apps.usage.rollups import forget_hours, rebuild, roll_up
from tests.usage.plain import assert_exact, random_moments, random_records
from tests.usage.rows import close, record

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MILLISECOND, MINUTE = timedelta(milliseconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = Period(date(2026, 11, 15), date(2026, 11, 21))


def hours() -> dict[datetime, int]:
    """Requests of each hour that has a row."""
    found: Counter[datetime] = Counter()
    for row in UsageHour.objects.all():
        found[row.hour] += row.requests
    return dict(found)


def days() -> dict[int, int]:
    """Requests of each day of the month that has a row."""
    found: Counter[int] = Counter()
    for row in UsageDay.objects.all():
        found[row.day.day] += row.requests
    return dict(found)


def months() -> dict[int, int]:
    """Requests of each month of the year that has a row."""
    found: Counter[int] = Counter()
    for row in UsageMonth.objects.all():
        found[row.month.month] += row.requests
    return dict(found)


def rows_of(model: type[UsageHour] | type[UsageDay] | type[UsageMonth]) -> set[str]:
    """All rows, without what names them."""
    return {
        str(row) for row in model.objects.values(*[f.attname for f in model._meta.fields if f.name != "id"])
    }


def through() -> datetime:
    return RollupState.objects.get().through


@pytest.mark.parametrize("minutes", [0, 4, 5, 30, 59])
@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_those_of_the_records(acme: Organization, seed: int, minutes: int) -> None:
    keys = [issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None).key]
    now = NOON + minutes * MINUTE
    random_records(acme, random_moments(WEEK.start, now, 300, seed=seed), keys=keys, seed=seed)
    roll_up(now=now)
    for period in (
        WEEK,
        Period(WEEK.first, WEEK.first),
        Period(now.date(), WEEK.last),
        Period.month(now.date()),
    ):
        for narrowed in ({}, {"mode": "live"}, {"mode": "test", "key_id": keys[0].pk}):
            assert_exact(reports.select(acme, period, **narrowed))  # type: ignore[arg-type]


def test_each_part_of_a_period_is_read_from_its_own_table(acme: Organization) -> None:
    for moment in (NOON - 40 * DAY, NOON - 2 * DAY, NOON - 2 * HOUR, NOON - MINUTE):
        record(acme, at=moment, characters=100)
    roll_up(now=NOON)
    # Marked, so that it shows where each figure comes from.
    UsageMonth.objects.update(characters=5000)
    UsageDay.objects.update(characters=1)
    UsageHour.objects.update(characters=20)
    assert through() == NOON - HOUR
    used = reports.daily(reports.select(acme, WEEK))
    assert [day.characters for day in used if day.requests] == [1, 120]
    assert reports.totals(reports.select(acme, Period.days(60, today=NOON.date()))).characters == 5121


def test_hours_and_days_hold_what_began_in_them(acme: Organization) -> None:
    midnight = datetime(2026, 11, 19, tzinfo=UTC)
    for moment in (midnight - MILLISECOND, midnight, midnight + HOUR - MILLISECOND, midnight + HOUR, NOON):
        record(acme, at=moment, closed_at=NOON + DAY)
    roll_up(now=NOON + MINUTE)
    assert hours() == {midnight - HOUR: 1, midnight: 2, midnight + HOUR: 1, NOON: 1}
    assert days() == {18: 1, 19: 3}


@pytest.mark.parametrize(
    ("now", "last_whole_day"),
    [
        (datetime(2026, 11, 20, 23, 59, tzinfo=UTC), 19),
        (datetime(2026, 11, 21, 0, 4, 59, tzinfo=UTC), 19),
        (datetime(2026, 11, 21, 0, 5, tzinfo=UTC), 20),
    ],
)
def test_a_day_is_summed_up_once_it_is_whole(acme: Organization, now: datetime, last_whole_day: int) -> None:
    for day in (19, 20):
        record(acme, at=datetime(2026, 11, day, 23, tzinfo=UTC))
    roll_up(now=now)
    assert max(days()) == last_whole_day
    assert_exact(reports.select(acme, WEEK))


@pytest.mark.parametrize("seed", [7, 8])
def test_figures_of_months_are_those_of_the_records(acme: Organization, seed: int) -> None:
    first, now = datetime(2026, 7, 20, tzinfo=UTC), datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
    random_records(acme, random_moments(first, now, 400, seed=seed), keys=[], seed=seed)
    late = [record(acme, at=now - number * 17 * DAY, state="open") for number in range(1, 6)]
    roll_up(now=now - 40 * DAY)
    periods = [Period.days(count, today=now.date()) for count in (1, 2, 32, 33, 60, 110)]
    for moment in (now - 40 * DAY, now, now + HOUR):
        roll_up(now=moment)
        for period in periods:
            assert_exact(reports.select(acme, period))
        close(late.pop())
    assert set(months()) == {7, 8, 9, 10}


@pytest.mark.parametrize("now", [datetime(2026, 11, 1, 0, 3, tzinfo=UTC), NOON, NOON + 10 * MINUTE])
def test_a_months_characters_are_those_of_the_records(
    acme: Organization, globex: Organization, now: datetime
) -> None:
    keys = [issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None).key]
    for organization in (acme, globex):
        random_records(
            organization, random_moments(now - 50 * DAY, now, 300, seed=9), keys=keys, seed=len(keys)
        )
    late = record(acme, at=now - 3 * HOUR, state="open", characters=700)
    month, before = now.date().replace(day=1), (now - 31 * DAY).date().replace(day=1)
    for _ in range(2):
        for mode in ("live", "test"):
            for key_id in (None, keys[0].pk):
                for first in (before, month):
                    period = Period.month(first)
                    rows = reports.records(acme, period, key_id=key_id, mode=mode)
                    plain = sum(row.characters_charged for row in rows)
                    assert charged_this_month(acme.pk, mode, month=first, key_id=key_id) == plain
        roll_up(now=now)
        close(late)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (datetime(2026, 11, 1, 0, 4, tzinfo=UTC), {9: 1}),
        (datetime(2026, 11, 1, 0, 5, tzinfo=UTC), {9: 1, 10: 2}),
    ],
)
def test_a_month_is_summed_up_once_it_is_whole(
    acme: Organization, now: datetime, found: dict[int, int]
) -> None:
    for day in (1, 31):
        record(acme, at=datetime(2026, 10, day, 23, tzinfo=UTC))
    record(acme, at=datetime(2026, 9, 30, 23, 59, tzinfo=UTC))
    record(acme, at=datetime(2026, 11, 1, tzinfo=UTC))
    roll_up(now=now)
    assert months() == found


def test_what_closes_late_is_in_its_month(acme: Organization) -> None:
    late = record(acme, at=datetime(2026, 9, 30, 23, 59, tzinfo=UTC), state="open")
    record(acme, at=datetime(2026, 9, 2, tzinfo=UTC))
    roll_up(now=NOON)
    assert months() == {9: 1}
    close(late)
    roll_up(now=NOON)
    assert months() == {9: 2}
    UsageRecord.objects.filter(pk=late.pk).update(state="failed")
    rebuild(date(2026, 9, 30), date(2026, 9, 30))
    assert UsageMonth.objects.get(failed=1).ok == 1


def test_days_are_not_made_anew_where_their_hours_stay(acme: Organization) -> None:
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    record(acme, at=midnight - MINUTE)
    roll_up(now=midnight + 6 * MINUTE)
    before = UsageDay.objects.get().pk
    roll_up(now=midnight + 7 * MINUTE)
    assert UsageDay.objects.get().pk == before
    record(acme, at=midnight - 2 * MINUTE)
    roll_up(now=midnight + 8 * MINUTE)
    assert days() == {19: 2}


def test_nothing_is_summed_up_where_there_is_nothing(acme: Organization) -> None:
    assert roll_up(now=NOON) == 1
    assert (hours(), days(), through()) == ({}, {}, NOON)
    assert_exact(reports.select(acme, WEEK))


def test_before_the_first_time_records_are_read(acme: Organization) -> None:
    record(acme, at=NOON)
    assert_exact(reports.select(acme, WEEK))


def test_twice_is_as_once(acme: Organization) -> None:
    random_records(acme, random_moments(WEEK.start, NOON, 200, seed=3), keys=[], seed=3)
    roll_up(now=NOON)
    before = rows_of(UsageHour), rows_of(UsageDay)
    assert roll_up(now=NOON) == 1
    assert (rows_of(UsageHour), rows_of(UsageDay)) == before


def test_the_hours_that_change_are_made_anew_each_time(acme: Organization) -> None:
    record(acme, at=NOON - 3 * HOUR)
    roll_up(now=NOON + 10 * MINUTE)
    for moment in (NOON - 3 * HOUR, NOON - MINUTE, NOON, NOON + 5 * MINUTE):
        record(acme, at=moment)
    roll_up(now=NOON + 11 * MINUTE)
    # What appears hours after its time, as no speech process writes it, is left to `rebuild`.
    assert hours() == {NOON - 3 * HOUR: 1, NOON - HOUR: 1, NOON: 2}


def test_after_days_without_a_worker_all_is_summed_up(acme: Organization) -> None:
    record(acme, at=WEEK.start)
    roll_up(now=WEEK.start + HOUR)
    random_records(acme, random_moments(WEEK.start + HOUR, NOON, 200, seed=4), keys=[], seed=4)
    assert_exact(reports.select(acme, WEEK))
    assert roll_up(now=NOON) > 4
    assert through() == NOON - HOUR
    assert_exact(reports.select(acme, WEEK))


def test_months_without_a_request_take_one_step(acme: Organization) -> None:
    record(acme, at=NOON - 200 * DAY)
    record(acme, at=NOON - MINUTE)
    assert roll_up(now=NOON + HOUR) == 2


def test_a_clock_that_was_set_back_takes_nothing_back(acme: Organization) -> None:
    record(acme, at=NOON - 5 * HOUR)
    roll_up(now=NOON)
    roll_up(now=NOON - 10 * HOUR)
    assert through() == NOON - HOUR
    assert_exact(reports.select(acme, WEEK))


def test_open_requests_are_in_no_sum_and_in_every_report(acme: Organization) -> None:
    record(acme, at=NOON - DAY, state="open")
    record(acme, at=NOON - MINUTE, state="open")
    roll_up(now=NOON + HOUR)
    assert hours() == days() == {}
    assert reports.totals(reports.select(acme, WEEK)).requests == 2
    assert_exact(reports.select(acme, WEEK))


def test_what_closes_late_counts_at_once_and_its_sums_follow(acme: Organization) -> None:
    yesterday = record(acme, at=NOON - DAY, state="open", characters=700)
    today = record(acme, at=NOON - 5 * HOUR, state="open", characters=30)
    still = record(acme, at=NOON - 6 * HOUR, state="open")
    roll_up(now=NOON)
    close(yesterday, ttfb_ms=80.0)
    close(today, state="cut", characters_charged=4)
    assert_exact(reports.select(acme, WEEK))
    assert hours() == {}
    roll_up(now=NOON + MINUTE)
    assert hours() == {NOON - DAY: 1, NOON - 5 * HOUR: 1}
    assert days() == {19: 1}
    assert RollupState.objects.get().waiting == [still.pk]
    assert_exact(reports.select(acme, WEEK))


def test_what_the_reconciler_closes_is_summed_up(acme: Organization) -> None:
    record(acme, at=NOON - DAY, state="open")
    roll_up(now=NOON)
    assert reconcile() == 1
    roll_up(now=NOON)
    assert UsageDay.objects.get().cut == 1
    assert_exact(reports.select(acme, WEEK))


def test_a_rebuild_follows_the_records(acme: Organization) -> None:
    record(acme, at=NOON - 2 * DAY, characters=15)
    waiting = record(acme, at=NOON - 2 * DAY, state="open")
    record(acme, at=NOON - 3 * DAY, characters=17)
    roll_up(now=NOON)
    UsageRecord.objects.exclude(pk=waiting.pk).update(characters=9, characters_charged=9)
    close(waiting)
    rebuild(date(2026, 11, 18), date(2026, 11, 30))
    assert list(UsageDay.objects.order_by("day").values_list("characters", flat=True)) == [17, 9]
    rebuild(date(2026, 1, 1), date(2026, 11, 17))
    assert_exact(reports.select(acme, WEEK))
    roll_up(now=NOON)
    assert_exact(reports.select(acme, WEEK))
    assert UsageDay.objects.order_by("day").last().requests == 2  # type: ignore[union-attr]


def test_the_command_rebuilds_a_span_of_days(acme: Organization) -> None:
    record(acme, at=NOON)
    said = StringIO()
    call_command("rebuild_usage_rollups", "2026-11-01", "2026-11-21", stdout=said)
    assert said.getvalue() == "The sums of 21 days, 2026-11-01 to 2026-11-21, are made anew.\n"
    assert days() == {20: 1}
    for wrong in (("2026-11-02", "2026-11-01"), ("yesterday", "2026-11-01")):
        with pytest.raises(CommandError):
            call_command("rebuild_usage_rollups", *wrong)


def test_hours_are_dropped_after_their_time_and_days_stay(acme: Organization, settings: Any) -> None:
    settings.USAGE_HOURS_KEPT_DAYS = 2
    late = record(acme, at=NOON - 5 * DAY, state="open")
    for days_ago in (6, 5, 3, 2, 1, 0):
        record(acme, at=NOON - days_ago * DAY)
    roll_up(now=NOON + HOUR)
    assert forget_hours(now=NOON + HOUR) == 3
    assert min(hours()) == NOON - 2 * DAY
    assert_exact(reports.select(acme, WEEK))
    # The day of a request that closes now is made of all its hours, though they were dropped.
    close(late)
    roll_up(now=NOON + HOUR)
    assert days()[15] == 2
    assert_exact(reports.select(acme, WEEK))
    rebuild(date(2026, 11, 14), date(2026, 11, 18))
    assert forget_hours(now=NOON + HOUR) == 3
    assert_exact(reports.select(acme, Period(date(2026, 11, 14), date(2026, 11, 21))))


def test_hours_whose_day_is_not_made_yet_are_kept(acme: Organization) -> None:
    record(acme, at=NOON - 100 * DAY)
    roll_up(now=NOON - 100 * DAY + HOUR)
    assert forget_hours(now=NOON) == 0
    roll_up(now=NOON)
    assert forget_hours(now=NOON) == 1
    assert_exact(reports.select(acme, Period.month((NOON - 100 * DAY).date())))
