"""Monthly partitions of usage records: made ahead, once, and rows land in their month."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import OperationalError, connection, transaction

from apps.accounts.models import Organization
from apps.core.ids import uuid7_floor
from apps.core.partitions import ensure_partitions, month_after, months_from
from apps.usage.models import UsageRecord
from apps.usage.tasks import keep_partitions
from tests.cast import acme, alice
from tests.platform import until
from tests.usage.rows import record

__all__ = ["acme", "alice"]

TABLE = "usage_usagerecord"
# Far from today, so that nothing but these tests makes partitions there.
DECEMBER = datetime(2091, 12, 31, 23, 59, 59, tzinfo=UTC)


def partition_of(row: UsageRecord) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {TABLE} WHERE id = %s", [row.pk])  # noqa: S608
        return str(cursor.fetchone()[0])


def bounds_of(partition: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = %s", [partition])
        return str(cursor.fetchone()[0])


@pytest.fixture
def years_end(db: None) -> list[str]:
    """DDL is transactional in PostgreSQL: these partitions go with the test."""
    return ensure_partitions(connection, TABLE, now=DECEMBER)


def test_months_go_over_the_year() -> None:
    assert month_after(datetime(2026, 12, 1, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert [f"{month:%Y-%m}" for month in months_from(DECEMBER, 3)] == ["2091-12", "2092-01", "2092-02"]


@pytest.mark.parametrize("month", range(1, 13))
def test_the_month_after_is_the_next_one(month: int) -> None:
    first = datetime(2026, month, 1, tzinfo=UTC)
    after = month_after(first)
    assert after.day == 1
    assert timedelta(days=28) <= after - first <= timedelta(days=31)


def test_a_month_is_that_of_utc() -> None:
    new_year_in_tokyo = datetime(2027, 1, 1, 8, tzinfo=timezone(timedelta(hours=9)))
    assert months_from(new_year_in_tokyo, 1) == [datetime(2026, 12, 1, tzinfo=UTC)]


def test_this_month_and_three_more_are_made(years_end: list[str]) -> None:
    assert years_end == [f"{TABLE}_2091_12", f"{TABLE}_2092_01", f"{TABLE}_2092_02", f"{TABLE}_2092_03"]


def test_making_them_again_makes_nothing(years_end: list[str]) -> None:
    assert ensure_partitions(connection, TABLE, now=DECEMBER) == []


def test_a_month_later_one_more_is_made(years_end: list[str]) -> None:
    assert ensure_partitions(connection, TABLE, now=month_after(months_from(DECEMBER, 1)[0])) == [
        f"{TABLE}_2092_04"
    ]


def test_partitions_meet_without_a_gap(years_end: list[str]) -> None:
    new_year = uuid7_floor(datetime(2092, 1, 1, tzinfo=UTC))
    assert bounds_of(f"{TABLE}_2091_12").endswith(f"TO ('{new_year}')")
    assert bounds_of(f"{TABLE}_2092_01").startswith(f"FOR VALUES FROM ('{new_year}')")


def test_rows_land_in_the_month_they_began_in(acme: Organization, years_end: list[str]) -> None:
    last = record(acme, at=datetime(2091, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC))
    first = record(acme, at=datetime(2092, 1, 1, tzinfo=UTC))
    assert partition_of(last) == f"{TABLE}_2091_12"
    assert partition_of(first) == f"{TABLE}_2092_01"


def test_a_row_of_a_month_without_partition_is_kept(acme: Organization) -> None:
    row = record(acme, at=datetime(2093, 5, 5, tzinfo=UTC))
    assert partition_of(row) == f"{TABLE}_default"


def test_rows_that_waited_in_the_default_move_to_their_month(acme: Organization) -> None:
    row = record(acme, at=DECEMBER)
    assert partition_of(row) == f"{TABLE}_default"
    made = ensure_partitions(connection, TABLE, now=DECEMBER)
    assert len(made) == 4
    assert partition_of(row) == f"{TABLE}_2091_12"


@pytest.mark.django_db(transaction=True)
def test_a_long_reader_holds_up_neither_the_task_nor_others() -> None:
    reading, done = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {TABLE}")  # noqa: S608
            reading.set()
            done.wait(30)
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(10)
    began = time.monotonic()
    try:
        with pytest.raises(OperationalError, match="lock timeout"):
            ensure_partitions(connection, TABLE, now=DECEMBER)
        assert time.monotonic() - began < 5
    finally:
        done.set()
        reader.join()
    with transaction.atomic():
        assert len(ensure_partitions(connection, TABLE, now=DECEMBER)) == 4
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_made_while_rows_come_in(acme: Organization) -> None:
    """Rows that wait in the default while their month is made are neither lost nor in its way."""
    stopped = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stopped.is_set():
            written.append(1)
            record(acme, at=DECEMBER)
            list(UsageRecord.objects.for_organization(acme))
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        until(lambda: UsageRecord.objects.exists(), what="a row")
        assert len(ensure_partitions(connection, TABLE, now=DECEMBER)) == 4
    finally:
        stopped.set()
        for writer in writers:
            writer.join()
        rows = list(UsageRecord.objects.for_organization(acme))
        kept = {partition_of(row) for row in rows}
        with connection.cursor() as cursor:
            for month in months_from(DECEMBER, 4):
                cursor.execute(f"DROP TABLE IF EXISTS {TABLE}_{month:%Y_%m}")
    assert len(rows) == len(written)
    assert kept == {f"{TABLE}_2091_12"}


def test_a_period_reads_its_own_partitions_only(acme: Organization, years_end: list[str]) -> None:
    january = datetime(2092, 1, 1, tzinfo=UTC)
    plan = UsageRecord.objects.for_organization(acme).between(january, month_after(january)).explain()
    assert f"{TABLE}_2092_01" in plan
    assert f"{TABLE}_2091_12" not in plan
    assert f"{TABLE}_2092_02" not in plan


@pytest.mark.django_db
def test_the_task_has_nothing_left_to_do_after_migrating() -> None:
    assert keep_partitions() == []
