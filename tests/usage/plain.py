"""Usage summed up the slow and plain way: in Python, over every record, for tests to compare with."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from apps.accounts.models import Organization
from apps.usage import reports
from apps.usage.histogram import RELATIVE_ERROR
from apps.usage.models import UsageRecord
from apps.usage.reports import Selection
from tests.usage.rows import unsaved

SUMS = ("characters", "characters_charged", "characters_credited", "audio_ms")
STATES = ("ok", "ok", "ok", "ok", "failed", "cut", "cancelled")


def random_records(
    organization: Organization, moments: Sequence[datetime], *, keys: Sequence[Any], seed: int
) -> list[UsageRecord]:
    """Closed requests of all kinds that began at these moments."""
    rng = random.Random(seed)
    rows = []
    for moment in moments:
        characters = rng.randint(1, 5000)
        state = rng.choice(STATES)
        credited = rng.choice([0, 0, rng.randint(0, characters)])
        rows.append(
            unsaved(
                organization,
                at=moment,
                state=state,
                key=rng.choice([None, *keys]),
                mode=rng.choice(["live", "live", "test"]),
                surface=rng.choice(["generate", "playground"]),
                voice=rng.choice(["heart", "kore", "puck"]),
                model=rng.choice(["hibari", "tone"]),
                characters=characters,
                characters_charged=0 if state == "failed" else rng.randint(0, characters - credited),
                characters_credited=credited,
                audio_ms=rng.randint(0, 60_000),
                engine_ms=rng.randint(0, 5_000),
                ttfb_ms=None if state == "failed" else rng.lognormvariate(4, 1),
            )
        )
    return UsageRecord.objects.bulk_create(rows)


def random_moments(start: datetime, end: datetime, count: int, *, seed: int) -> list[datetime]:
    """Spread over [start, end), among them its ends and both sides of hours and midnights."""
    rng = random.Random(seed)
    milliseconds = int((end - start) / timedelta(milliseconds=1))
    found = [start + timedelta(milliseconds=rng.randrange(milliseconds)) for _ in range(count)]
    edges = [moment.replace(minute=0, second=0, microsecond=0) for moment in rng.sample(found, count // 10)]
    edges += [moment.replace(hour=0) for moment in edges[::3]]
    just_before = [moment - timedelta(milliseconds=1) for moment in edges]
    return [moment for moment in [start, *found, *edges, *just_before] if start <= moment < end]


def assert_exact(selection: Selection) -> None:
    """Every figure of the reports is that of the records."""
    rows = list(selection.records.select_related(None))
    totals = reports.totals(selection)
    assert _seen(totals) == _sums(rows)
    for state in ("failed", "cut", "cancelled"):
        assert getattr(totals, state) == sum(row.state == state for row in rows)
    assert totals.engine_ms == sum(row.engine_ms for row in rows)
    _assert_latency(totals, rows)
    assert {day.day: _seen(day) for day in reports.daily(selection)} == {
        day: _sums(row for row in rows if row.started_at.date() == day) for day in selection.period.each_day()
    }
    _assert_groups(reports.by_key(selection), rows, lambda used: used.key and used.key.pk, "key_id")
    _assert_groups(reports.by_voice(selection), rows, lambda used: used.voice, "voice")
    _assert_groups(reports.by_model(selection), rows, lambda used: used.model, "model")
    _assert_groups(reports.by_deployment(selection), rows, lambda used: used.deployment_id, "deployment_id")


def _assert_groups(
    found: Sequence[Any], rows: Sequence[UsageRecord], name: Callable[[Any], Any], column: str
) -> None:
    members: dict[Any, list[UsageRecord]] = {}
    for row in rows:
        members.setdefault(getattr(row, column), []).append(row)
    assert {name(used): _seen(used) for used in found} == {
        value: _sums(own) for value, own in members.items()
    }
    assert [used.characters for used in found] == sorted((u.characters for u in found), reverse=True)
    for used in found:
        _assert_latency(used, members[name(used)])


def _assert_latency(used: Any, rows: Iterable[UsageRecord]) -> None:
    times = sorted(row.ttfb_ms for row in rows if row.ttfb_ms is not None)
    for fraction, found in ((0.5, used.ttfb_p50_ms), (0.95, used.ttfb_p95_ms)):
        if not times:
            assert found is None
            continue
        place = (len(times) - 1) * fraction
        below, above = times[int(place)], times[-int(-place // 1)]
        exact = below + (above - below) * (place - int(place))
        assert abs(found - exact) <= exact * RELATIVE_ERROR * 1.000001


def _sums(rows: Iterable[UsageRecord]) -> dict[str, int]:
    own = list(rows)
    sums = {name: sum(getattr(row, name) for row in own) for name in SUMS}
    return {"requests": len(own), "ok": sum(row.state == "ok" for row in own), **sums}


def _seen(used: Any) -> dict[str, int]:
    return {name: getattr(used, name) for name in ("requests", "ok", *SUMS)}
