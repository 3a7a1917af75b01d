"""`python -m bench.usage_growth`: whether pages of a year's usage take longer where there are more requests.

Starts a database of its own and fills it to 1,000, 100,000 and 10,000,000 records (or `--records`), spread
over a year. After each size, usage is summed up and each page is asked for. The last line is JSON. Of use to
other benches, in a process with Django set up: `fill_year`, `sum_up`, `measure`.

Records are made by one INSERT … SELECT FROM generate_series for each batch, in the order of their ids, while
the indexes on other columns are away: about 100,000 records a second of CPU time, 10,000,000 in some minutes.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import django

from bench.errors import BenchError
from bench.facts import facts
from bench.report import last_line, say, table
from bench.stage import CHECKOUT, on_stage

if TYPE_CHECKING:
    from apps.accounts.models import Organization

SIZES = (1_000, 100_000, 10_000_000)
DAYS = 364
KEYS, VOICES, MODELS = 5, 4, 2
PAGES = {
    "usage": "/usage?days=365",
    "usage_by_key": "/usage?days=365&tab=keys",
    "stats": "/api/stats?days=365",
    "overview": "/",
}
_BATCH = 500_000
_ROUNDS = 15
_TABLE = "usage_usagerecord"
# A UUIDv7 is 48 bits of milliseconds, the version, 12 bits, the variant, 62 bits. Each day has all kinds.
_RECORDS = f"""
INSERT INTO {_TABLE} (id, organization_id, key_id, deployment_id, owner_id, request_id, state, mode,
    surface, model, voice, characters, characters_charged, audio_ms, engine_ms, ttfb_ms, total_ms, error_code,
    closed_at)
SELECT (lpad(to_hex(ms), 12, '0') || '7000' || to_hex(8::bigint << 60 | number))::uuid,
    %(organization)s, (%(keys)s::uuid[])[1 + number %% %(key_count)s], %(organization)s, %(organization)s,
    'req_' || lpad(to_hex(number), 32, '0'), (ARRAY['ok', 'ok', 'ok', 'ok', 'cut'])[1 + number / 7 %% 5],
    'live', 'generate', 'model-' || number / 11 %% %(models)s, 'voice-' || number / 13 %% %(voices)s,
    60, 60, 4000, 40, 20 + number * 7919 %% 400, 500, '', to_timestamp(ms / 1000.0)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number,
    LATERAL (SELECT (%(since_ms)s + (number - %(begin)s) * %(step_ms)s)::bigint AS ms) AS clock
"""  # noqa: S608 - names of our own


@dataclass(frozen=True)
class Size:
    """Times in ms, medians; `month_ms` is what a quota's counter is read again in."""

    records: int
    made_seconds: float
    summed_up_seconds: float
    rows_by_day: int
    month_ms: float
    pages_ms: dict[str, float]
    queries: dict[str, int]


def fill_year(organization: Organization, records: int, *, now: datetime) -> None:
    """Adds what is missing to so many records in all, evenly spread over the year that ends a minute ago."""
    from django.db import connection

    from apps.core.partitions import ensure_partitions
    from apps.keys.models import ApiKey

    keys = list(ApiKey.objects.for_organization(organization).values_list("pk", flat=True))
    for months in range(13):
        ensure_partitions(connection, _TABLE, now=now - months * timedelta(days=30))
    with connection.cursor() as cursor, _without_indexes():
        cursor.execute(f"SELECT count(*) FROM {_TABLE}")  # noqa: S608
        there = int(cursor.fetchone()[0])
        given = {
            "organization": organization.pk,
            "keys": keys,
            "key_count": len(keys),
            "models": MODELS,
            "voices": VOICES,
            "begin": there,
            "since_ms": (now - timedelta(days=DAYS, minutes=1)).timestamp() * 1000,
            "step_ms": DAYS * 86_400_000 / max(1, records - there),
        }
        for first in range(there, records, _BATCH):
            cursor.execute(_RECORDS, given | {"first": first, "last": min(first + _BATCH, records) - 1})
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {_TABLE}")


@contextmanager
def _without_indexes() -> Iterator[None]:
    """The primary key stays: rows come in its order."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE '%%pkey'",
            [_TABLE],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET synchronous_commit = off")
        try:
            yield
        finally:
            cursor.execute("RESET synchronous_commit")
            for _, definition in indexes:
                cursor.execute(definition.replace(" ON ONLY ", " ON "))


def sum_up() -> None:
    """All there is, as if for the first time."""
    from django.db import connection

    from apps.usage.models import RollupState, UsageDay, UsageHour, UsageMonth
    from apps.usage.rollups import forget_hours, roll_up

    for model in (RollupState, UsageMonth, UsageDay, UsageHour):
        model.objects.all().delete()
    roll_up()
    forget_hours()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE usage_usagemonth, usage_usageday, usage_usagehour")


def measure(sizes: Sequence[int], *, rounds: int = _ROUNDS) -> list[Size]:
    """Fills an empty database to one size after another and asks for the pages at each."""
    organization = _organization()
    found = []
    for records in sorted(sizes):
        say(f"Making {records:,} records")
        made_seconds = _seconds(lambda: fill_year(organization, records, now=datetime.now(UTC)))  # noqa: B023
        summed_up_seconds = _seconds(sum_up)
        found.append(_asked(organization, records, made_seconds, summed_up_seconds, rounds))
    return found


def _asked(
    organization: Organization, records: int, made_seconds: float, summed_up_seconds: float, rounds: int
) -> Size:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from apps.keys.models import ApiKey
    from apps.usage.models import UsageDay
    from apps.usage.quota import charged_this_month

    client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
    client.force_login(organization.members.get())
    pages_ms, queries = {}, {}
    for name, path in PAGES.items():
        with CaptureQueriesContext(connection) as captured:
            status = client.get(path).status_code
        if status != 200:
            raise BenchError(f"{path} answers {status}.")
        queries[name] = len(captured)
        pages_ms[name] = _median_ms(lambda: client.get(path), rounds)  # noqa: B023 - called at once
    month, key = datetime.now(UTC).date().replace(day=1), ApiKey.objects.earliest("id")
    return Size(
        records=records,
        made_seconds=round(made_seconds, 1),
        summed_up_seconds=round(summed_up_seconds, 1),
        rows_by_day=UsageDay.objects.count(),
        month_ms=_median_ms(
            lambda: charged_this_month(organization.pk, "live", month=month, key_id=key.pk), rounds
        ),
        pages_ms=pages_ms,
        queries=queries,
    )


def _organization() -> Organization:
    from apps.accounts.models import Organization
    from apps.keys.models import ApiKey
    from apps.keys.services import issue_key

    organization = Organization.objects.get()
    for number in range(ApiKey.objects.count(), KEYS):
        issue_key(
            organization=organization,
            name=f"Key {number}",
            mode="live",
            scopes=["speech"],
            created_by=None,
            characters_per_month=10**12,
        )
    return organization


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median_ms(work: Callable[[], object], rounds: int) -> float:
    work()
    return round(statistics.median(_seconds(work) for _ in range(rounds)) * 1000, 2)


def print_tables(sizes: Sequence[Size]) -> None:
    head = ("records", "made in s", "summed up in s", "rows by day")
    rows = [(f"{s.records:,}", s.made_seconds, s.summed_up_seconds, f"{s.rows_by_day:,}") for s in sizes]
    table("What there is", head, rows)
    names = list(PAGES)
    table(
        "Time of a page of a year, ms",
        ("records", *names, "month's characters"),
        [(f"{s.records:,}", *(s.pages_ms[name] for name in names), s.month_ms) for s in sizes],
    )
    table(
        "Queries of it",
        ("records", *names),
        [(f"{s.records:,}", *(s.queries[name] for name in names)) for s in sizes],
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.usage_growth", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--records", type=int, nargs="+", default=SIZES, help="sizes (1000 100000 10000000)")
    options = parser.parse_args(arguments)
    about = facts(CHECKOUT)
    try:
        with on_stage() as stage:
            say("Starting PostgreSQL and Redis")
            stage.start_services()
            stage.seed([])
            os.environ.update(stage.environ | {"LOG_LEVEL": "ERROR"})
            django.setup()
            from django.core.management import call_command

            call_command("collectstatic", interactive=False, verbosity=0)
            sizes = measure(options.records)
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        say("bench: stopped")
        return 130
    print_tables(sizes)
    last_line({"bench": "usage_growth", **about, "sizes": [asdict(size) for size in sizes]})
    return 0


if __name__ == "__main__":
    logging.captureWarnings(True)
    sys.exit(main(sys.argv[1:]))
