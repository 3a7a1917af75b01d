"""The SQL of figures: sums of requests, grouped by what is asked, from months, days, hours and records.

All of it is made of one shape of row: what it is grouped by, sums, and, where latency is asked for, a bucket
of first audio with how many fell into it (`apps.usage.histogram`). A record is one such row; a row of sums is
one with its sums and one more for each of its buckets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.ids import uuid7_floor
from apps.usage.histogram import BUCKET_SQL
from apps.usage.spans import Range, Span, Unit

KINDS = ("organization_id", "key_id", "mode", "surface", "voice", "model", "deployment_id")
STATES = ("ok", "failed", "cut", "cancelled")
SUMS = (
    "requests",
    *STATES,
    "characters",
    "characters_charged",
    "characters_credited",
    "audio_ms",
    "engine_ms",
)
LATENCY = ("ttfb_buckets", "ttfb_counts")

Sql = tuple[str, list[Any]]
_STARTED = "to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)"
_OF_RECORD = {
    "day": f"({_STARTED} AT TIME ZONE 'UTC')::date",
    "hour": f"date_trunc('hour', {_STARTED}, 'UTC')",
    "requests": "1",
    **{state: f"(state = '{state}')::int" for state in STATES},
}
_BUCKET = (f"CASE WHEN ttfb_ms IS NOT NULL THEN {BUCKET_SQL} END", "(ttfb_ms IS NOT NULL)::int")


def read(
    span: Span,
    who: Mapping[str, Any],
    groups: Sequence[str] = (),
    *,
    sums: Sequence[str] = SUMS,
    latency: bool = False,
) -> list[dict[str, Any]]:
    """The figures of a span in one query: a row for each group, one of all where no group is asked for.

    `groups` are of `KINDS`, or the day or hour; `who` narrows by `KINDS`, to a value or, given
    a list, to any of it. Records that are open count as requests with the characters they ask for.
    """
    shape = Shape(groups, sums, latency=latency)
    parts: list[Sql] = [shape.of_records(_both(_waiting(span), _who(who)))]
    for unit, times in span.parts(by_day="day" in groups, by_hour="hour" in groups):
        if unit is None:
            parts.append(shape.of_records(_both(_ids(times), _who(who))))
        else:
            parts += shape.of_sums(TABLES[unit], _who(who), times)
    return _rows(*shape.grouped(parts))


def insert_hours(hours: Range, *, without: Sequence[UUID]) -> None:
    """Sums of the closed records of these hours, but for some."""
    closed: Sql = ("state <> 'open' AND id <> ALL(%s::uuid[])", [list(without)])
    shape = Shape((HOURS.column, *KINDS), SUMS, latency=True)
    _insert(HOURS, shape, [shape.of_records(_both(_ids(hours), closed))])


def insert_days(days: Range) -> None:
    """Sums of the hours of these days."""
    _insert_sums(TABLES[Unit.DAY], HOURS, days)


def insert_months(months: Range) -> None:
    """Sums of the days of these months."""
    _insert_sums(TABLES[Unit.MONTH], TABLES[Unit.DAY], months)


@dataclass(frozen=True)
class Table:
    """Sums of one unit: the column that says of which one, and that as the larger units it belongs to."""

    name: str
    column: str
    larger: Mapping[str, str]

    def between(self, times: Range) -> Sql:
        values = list(times) if self.column == "hour" else [moment.date() for moment in times]
        return f"{self.column} >= %s AND {self.column} < %s", values


HOURS = Table("usage_usagehour", "hour", {"day": "(hour AT TIME ZONE 'UTC')::date"})
TABLES = {
    Unit.HOUR: HOURS,
    Unit.DAY: Table("usage_usageday", "day", {"month": "date_trunc('month', day)::date"}),
    Unit.MONTH: Table("usage_usagemonth", "month", {}),
}


@dataclass(frozen=True)
class Shape:
    """The columns of a query: what it is grouped by, sums, and buckets where `latency` is asked for."""

    groups: Sequence[str]
    sums: Sequence[str]
    latency: bool

    @property
    def columns(self) -> list[str]:
        return [*self.groups, *self.sums, *(LATENCY if self.latency else ())]

    def of_records(self, where: Sql) -> Sql:
        return self._part("usage_usagerecord", where, _OF_RECORD, sums=self.sums, bucket=_BUCKET)

    def of_sums(self, table: Table, who: Sql, times: Range) -> list[Sql]:
        """Sums and buckets apart: a row of sums is not multiplied by its buckets."""
        where = _both(table.between(times), who)
        parts = [self._part(table.name, where, table.larger, sums=self.sums, bucket=None)]
        if self.latency:
            held = f"{table.name}, unnest(ttfb_buckets, ttfb_counts) AS held (bucket, fell)"
            parts.append(self._part(held, where, table.larger, sums=(), bucket=("bucket", "fell")))
        return parts

    def grouped(self, parts: Sequence[Sql]) -> Sql:
        """One row for each group of all parts together."""
        source = " UNION ALL ".join(sql for sql, _ in parts)
        values = [value for _, part in parts for value in part]
        sums = [f"coalesce(sum({name}), 0)::bigint AS {name}" for name in self.sums]
        if self.latency:
            columns = ", ".join([*self.groups, "bucket", "sum(fell)::int AS fell", *sums])
            source = f"SELECT {columns} FROM ({source}) AS part GROUP BY {self._by('bucket')}"  # noqa: S608
            sums += [
                f"coalesce(array_agg({name} ORDER BY bucket) FILTER (WHERE fell > 0), '{{}}') AS {column}"
                for name, column in zip(("bucket", "fell"), LATENCY, strict=True)
            ]
        columns = ", ".join([*self.groups, *sums])
        return f"SELECT {columns} FROM ({source}) AS part GROUP BY {self._by()}", values  # noqa: S608

    def _part(
        self,
        table: str,
        where: Sql,
        own: Mapping[str, str],
        *,
        sums: Sequence[str],
        bucket: tuple[str, str] | None,
    ) -> Sql:
        """One table's rows, grouped: `own` are columns that it has by other names."""
        rows = [f"{own.get(name, name)} AS {name}" for name in (*self.groups, *sums)]
        added = [f"sum({name}) AS {name}" if name in sums else f"0 AS {name}" for name in self.sums]
        by = self._by()
        if self.latency and bucket:
            rows += [f"{bucket[0]} AS bucket", f"{bucket[1]} AS fell"]
            added, by = ["bucket", "sum(fell) AS fell", *added], self._by("bucket")
        elif self.latency:
            added = ["NULL::int AS bucket", "0 AS fell", *added]
        return (
            f"SELECT {', '.join([*self.groups, *added])} FROM "  # noqa: S608 - names of our own
            f"(SELECT {', '.join(rows)} FROM {table} WHERE {where[0]}) AS one GROUP BY {by}",
            where[1],
        )

    def _by(self, *more: str) -> str:
        return ", ".join([*self.groups, *more]) or "()"


def _insert_sums(into: Table, source: Table, times: Range) -> None:
    shape = Shape((into.column, *KINDS), SUMS, latency=True)
    _insert(into, shape, shape.of_sums(source, ("", []), times))


def _ids(times: Range) -> Sql:
    return "id >= %s AND id < %s", [uuid7_floor(moment) for moment in times]


def _waiting(span: Span) -> Sql:
    """Records that are in no sum, asked for in the very moment in which sums are read."""
    bounds, values = _ids((span.start, span.summed_to))
    return f"id = ANY((SELECT waiting FROM usage_rollupstate)::uuid[]) AND {bounds}", values  # noqa: S608


def _who(who: Mapping[str, Any]) -> Sql:
    terms = [
        f"{name} = ANY(%s)" if isinstance(value, list) else f"{name} = %s" for name, value in who.items()
    ]
    return " AND ".join(terms), list(who.values())


def _both(one: Sql, other: Sql) -> Sql:
    return " AND ".join(filter(None, (one[0], other[0]))), one[1] + other[1]


def _insert(table: Table, shape: Shape, parts: Sequence[Sql]) -> None:
    query, values = shape.grouped(parts)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table.name} ({', '.join(shape.columns)}) {query}", values)


def _rows(query: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
