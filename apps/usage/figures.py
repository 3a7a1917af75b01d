"""The SQL of figures: sums of requests, grouped by what is asked, from days, hours and records together.

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
from apps.usage.spans import Range, Span

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
_OF_HOUR = {"day": "(hour AT TIME ZONE 'UTC')::date"}
_OF_RECORD = {
    "day": f"({_STARTED} AT TIME ZONE 'UTC')::date",
    "hour": f"date_trunc('hour', {_STARTED}, 'UTC')",
    "requests": "1",
    **{state: f"(state = '{state}')::int" for state in STATES},
}


def read(
    span: Span,
    who: Mapping[str, Any],
    groups: Sequence[str] = (),
    *,
    sums: Sequence[str] = SUMS,
    latency: bool = False,
) -> list[dict[str, Any]]:
    """The figures of a span in one query: a row for each group, one of all where no group is asked for.

    `groups` are of `KINDS`, or the day; `who` narrows by `KINDS`, to a value or, given a list, to any of it.
    Records that are open count as requests with the characters they ask for.
    """
    shape = Shape(groups, sums, latency=latency)
    parts = (
        [] if _is_empty(span.days) else shape.of_sums("usage_usageday", _both(_days(span.days), _who(who)))
    )
    for hours in span.hours:
        if not _is_empty(hours):
            parts += shape.of_sums("usage_usagehour", _both(_hours(hours), _who(who)), _OF_HOUR)
    for records in span.records:
        if not _is_empty(records):
            parts.append(shape.of_records(_both(_ids(records), _who(who))))
    parts.append(shape.of_records(_both(_waiting(span), _who(who))))
    return _rows(*shape.grouped(parts))


def insert_hours(hours: Range, *, without: Sequence[UUID]) -> None:
    """Sums of the closed records of these hours, but for some."""
    closed: Sql = ("state <> 'open' AND id <> ALL(%s::uuid[])", [list(without)])
    shape = Shape(("hour", *KINDS), SUMS, latency=True)
    _insert("usage_usagehour", shape, [shape.of_records(_both(_ids(hours), closed))])


def insert_days(days: Range) -> None:
    """Sums of the hours of these days."""
    shape = Shape(("day", *KINDS), SUMS, latency=True)
    _insert("usage_usageday", shape, shape.of_sums("usage_usagehour", _hours(days), _OF_HOUR))


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
        bucket = {
            "bucket": f"CASE WHEN ttfb_ms IS NOT NULL THEN {BUCKET_SQL} END",
            "fell": "(ttfb_ms IS NOT NULL)::int",
        }
        return self._select("usage_usagerecord", where, _OF_RECORD | bucket)

    def of_sums(self, table: str, where: Sql, own: Mapping[str, str] | None = None) -> list[Sql]:
        """`own` are columns that the table has by other names."""
        sums = self._select(table, where, {**(own or {}), "bucket": "NULL::int", "fell": "0"})
        if not self.latency:
            return [sums]
        buckets = f"{table}, unnest(ttfb_buckets, ttfb_counts) AS held (bucket, fell)"
        return [sums, self._select(buckets, where, {**(own or {}), **dict.fromkeys(self.sums, "0")})]

    def grouped(self, parts: Sequence[Sql]) -> Sql:
        source = " UNION ALL ".join(sql for sql, _ in parts)
        values = [value for _, part in parts for value in part]
        sums = [f"coalesce(sum({name}), 0)::bigint AS {name}" for name in self.sums]
        groups = ", ".join(self.groups) or "()"
        if self.latency:
            by_bucket = [*self.groups, "bucket", "sum(fell)::int AS fell", *sums]
            source = (
                f"SELECT {', '.join(by_bucket)} FROM ({source}) AS used "  # noqa: S608
                f"GROUP BY {', '.join([*self.groups, 'bucket'])}"
            )
            sums += [
                f"coalesce(array_agg({name} ORDER BY bucket) FILTER (WHERE fell > 0), '{{}}') AS {column}"
                for name, column in zip(("bucket", "fell"), LATENCY, strict=True)
            ]
        chosen = ", ".join([*self.groups, *sums])
        return f"SELECT {chosen} FROM ({source}) AS used GROUP BY {groups}", values  # noqa: S608

    def _select(self, table: str, where: Sql, own: Mapping[str, str]) -> Sql:
        names = [*self.groups, *self.sums, *(("bucket", "fell") if self.latency else ())]
        columns = ", ".join(f"{own[name]} AS {name}" if name in own else name for name in names)
        return f"SELECT {columns} FROM {table} WHERE {where[0]}", where[1]  # noqa: S608 - names of our own


def _is_empty(times: Range) -> bool:
    return times[0] >= times[1]


def _days(times: Range) -> Sql:
    return "day >= %s AND day < %s", [moment.date() for moment in times]


def _hours(times: Range) -> Sql:
    return "hour >= %s AND hour < %s", list(times)


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


def _insert(table: str, shape: Shape, parts: Sequence[Sql]) -> None:
    query, values = shape.grouped(parts)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(shape.columns)}) {query}", values)


def _rows(query: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
