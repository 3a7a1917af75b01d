"""Sums made by several at once, read while being made, or killed half-way: nothing twice, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from apps.accounts.models import Organization
from apps.usage import reports
from apps.usage.models import RollupState, UsageDay, UsageHour
from apps.usage.reports import Period
from apps.usage.rollups import rebuild, roll_up
from tests.platform import test_database_url, until
from tests.usage.plain import assert_exact, random_moments, random_records
from tests.usage.rows import close, record

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FORTNIGHT = Period.days(14, today=NOON.date())


class Threads:
    """Work in threads with connections of their own; what fails in one fails the test."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def start(self, work: Callable[[], object]) -> None:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again by `join`
                self._errors.append(error)
            finally:
                connections.close_all()

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)
        assert not [thread for thread in self._threads if thread.is_alive()]
        if self._errors:
            raise self._errors[0]


@pytest.fixture
def threads() -> Iterator[Threads]:
    started = Threads()
    yield started
    started.join()


@contextmanager
def hours_locked() -> Iterator[None]:
    """Nobody writes sums by hour meanwhile; whoever would waits."""
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE usage_usagehour IN SHARE MODE")
            locked.set()
            done.wait(30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    try:
        yield
    finally:
        done.set()
        holder.join()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation')")
        return bool(cursor.fetchone()[0])


def test_what_closes_while_sums_are_made_counts_once(acme: Organization, threads: Threads) -> None:
    rows = [record(acme, at=NOON - hours * HOUR, state="open", characters=hours) for hours in (2, 8, 30)]
    record(acme, at=NOON - 2 * HOUR, characters=50)
    roll_up(now=NOON)
    with hours_locked():
        threads.start(lambda: roll_up(now=NOON))
        until(somebody_waits, what="the sums to be under way")
        for row in rows:
            close(row)
        assert_exact(reports.select(acme, FORTNIGHT))
    threads.join()
    assert len(RollupState.objects.get().waiting) == 3
    assert_exact(reports.select(acme, FORTNIGHT))
    roll_up(now=NOON)
    assert RollupState.objects.get().waiting == []
    assert sum(UsageHour.objects.values_list("characters", flat=True)) == 2 + 8 + 30 + 50
    assert_exact(reports.select(acme, FORTNIGHT))


def test_a_second_one_leaves_it_to_the_first(acme: Organization, threads: Threads) -> None:
    record(acme, at=NOON - 2 * HOUR)
    roll_up(now=NOON)
    with hours_locked():
        threads.start(lambda: roll_up(now=NOON + HOUR))
        until(somebody_waits, what="the first")
        assert roll_up(now=NOON + HOUR) == 0
    threads.join()
    assert RollupState.objects.get().through == NOON


def test_a_page_that_began_before_a_step_is_exact_after_it(acme: Organization) -> None:
    late = record(acme, at=NOON - 3 * DAY, state="open", characters=40)
    record(acme, at=NOON - 2 * HOUR, characters=2)
    roll_up(now=NOON - HOUR)
    selection = reports.select(acme, FORTNIGHT)
    close(late)
    record(acme, at=NOON - HOUR, characters=300)
    roll_up(now=NOON + 13 * HOUR)
    assert_exact(selection)


def test_by_many_at_once(acme: Organization, threads: Threads) -> None:
    random_records(acme, random_moments(FORTNIGHT.start, NOON, 400, seed=5), keys=[], seed=5)
    stopped = threading.Event()

    def read() -> None:
        while not stopped.is_set():
            assert_exact(reports.select(acme, FORTNIGHT))

    readers = Threads()
    readers.start(read)
    for _ in range(3):
        threads.start(lambda: [roll_up(now=NOON - n * HOUR) for n in range(20, 0, -1)])
    threads.start(lambda: rebuild(FORTNIGHT.first, FORTNIGHT.last))
    threads.join()
    stopped.set()
    readers.join()
    roll_up(now=NOON)
    assert_exact(reports.select(acme, FORTNIGHT))


def reached() -> datetime | None:
    return RollupState.objects.values_list("through", flat=True).first()


@pytest.mark.slow
def test_killed_again_and_again(acme: Organization) -> None:
    today = timezone.now().date()
    period = Period.days(60, today=today)
    moments = random_moments(period.start, timezone.now() - HOUR, 3000, seed=6)
    random_records(acme, moments, keys=[], seed=6)
    code = "import django; django.setup(); from apps.usage.rollups import roll_up; roll_up()"
    environment = {
        **os.environ,
        "DATABASE_URL": test_database_url(),
        "DJANGO_SETTINGS_MODULE": "voiceflow.settings",
    }
    for milliseconds in (0, 8, 20):
        before = reached()
        process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        until(lambda: reached() != before, seconds=60, what="a step")  # noqa: B023 - called at once
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was not killed in the middle"
        assert_exact(reports.select(acme, period))
    roll_up()
    assert_exact(reports.select(acme, period))
    assert sum(UsageDay.objects.values_list("requests", flat=True)) == sum(
        moment.date() < RollupState.objects.get().through.date() for moment in moments
    )
