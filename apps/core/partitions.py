"""Tables that are partitioned by month on their UUIDv7 id, and the partitions made ahead of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import migrations, transaction

from apps.core.ids import uuid7_floor

MONTHS_AHEAD = 3
# Whoever comes after one that waits for a lock waits as well, and an admission has two seconds.
LOCK_TIMEOUT_MS = 1000


class CreatePartitionedModel(migrations.CreateModel):
    """`CreateModel` with a table partitioned by range of its id; a default takes rows outside all months."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE (id)"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT')
        ensure_partitions(schema_editor.connection, table, now=datetime.now(UTC))

    def describe(self) -> str:
        return f"Create model {self.name}, partitioned by month"


def month_after(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def months_from(moment: datetime, count: int) -> list[datetime]:
    """The first moments of `count` months, beginning with the month of `moment`."""
    months = [moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)]
    while len(months) < count:
        months.append(month_after(months[-1]))
    return months


def ensure_partitions(connection: Any, table: str, *, now: datetime) -> list[str]:
    """Makes what is missing of this month and the next three; answers the names of what it made.

    Raises `OperationalError` where somebody reads the table for long: nobody else is held up for that.
    """
    made = []
    with connection.cursor() as cursor:
        for month in months_from(now, MONTHS_AHEAD + 1):
            name = f"{table}_{month:%Y_%m}"
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0] is None:
                _make(connection, table, name, month)
                made.append(name)
    return made


def drop_partitions(connection: Any, table: str, *, before: datetime) -> list[str]:
    """Drops the months that lie wholly before that moment; answers the names of what it dropped.

    Raises `OperationalError` where somebody reads the table for long: nobody else is held up for that.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table]
        )
        names = [row[0].strip('"') for row in cursor.fetchall()]
    first_kept = f"{table}_{before.astimezone(UTC):%Y_%m}"
    old = sorted(name for name in names if name != f"{table}_default" and name < first_kept)
    for name in old:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'")
            cursor.execute(f'LOCK TABLE ONLY "{table}" IN ACCESS EXCLUSIVE MODE')
            cursor.execute(f'DROP TABLE "{name}"')
    return old


def _make(connection: Any, table: str, name: str, month: datetime) -> None:
    """Makes one month and moves into it what the default partition took meanwhile."""
    # DDL takes no parameters; names and bounds are made here, of a table's name and a date.
    first, after = uuid7_floor(month), uuid7_floor(month_after(month))
    bounds = f"FROM ('{first}') TO ('{after}')"
    waiting, of_month = f"{name}_waiting", f"id >= '{first}' AND id < '{after}'"
    statements = (
        f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'",
        # In the order in which everybody else locks them: the whole, then its parts.
        f'LOCK TABLE ONLY "{table}" IN ACCESS EXCLUSIVE MODE',
        f'LOCK TABLE "{table}_default" IN ACCESS EXCLUSIVE MODE',
        f'CREATE TEMPORARY TABLE "{waiting}" AS SELECT * FROM "{table}_default" WHERE {of_month}',  # noqa: S608
        f'DELETE FROM "{table}_default" WHERE {of_month}',  # noqa: S608
        f'CREATE TABLE IF NOT EXISTS "{name}" PARTITION OF "{table}" FOR VALUES {bounds}',
        f'INSERT INTO "{table}" SELECT * FROM "{waiting}"',  # noqa: S608
        f'DROP TABLE "{waiting}"',
    )
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
