"""The bench of a year of usage, at sizes that take no time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.accounts.models import Organization
from apps.keys.services import issue_key
from apps.usage import reports
from apps.usage.models import UsageDay, UsageMonth, UsageRecord
from bench.usage_growth import DAYS, PAGES, fill_year, sum_up
from tests.cast import acme, alice
from tests.usage.plain import assert_exact

__all__ = ["acme", "alice"]

CHECKOUT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.django_db(transaction=True)
def test_records_are_spread_over_a_year_and_summed_up(acme: Organization) -> None:
    for name in ("One", "Two"):
        issue_key(organization=acme, name=name, mode="live", scopes=["speech"], created_by=None)
    now = timezone.now()
    for records in (300, 2000):
        fill_year(acme, records, now=now)
        assert UsageRecord.objects.count() == records
    rows = UsageRecord.objects.order_by("id")
    first, last = rows.first(), rows.last()
    assert first is not None
    assert last is not None
    assert timedelta(days=DAYS - 1) < last.started_at - first.started_at < timedelta(days=DAYS)
    assert len(set(rows.values_list("key", "model", "voice"))) == 2 * 2 * 4
    sum_up()
    assert UsageMonth.objects.count() > 11
    assert UsageDay.objects.count() > 1000
    assert_exact(reports.select(acme, reports.Period.days(365)))


def test_its_pages_are_asked_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.usage_growth", "--records", "200", "2000"],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    small, large = json.loads(done.stdout.splitlines()[-1])["sizes"]
    assert (small["records"], large["records"]) == (200, 2000)
    assert small["queries"] == large["queries"]
    assert set(small["pages_ms"]) == set(large["queries"]) == set(PAGES)
    assert all(milliseconds > 0 for milliseconds in large["pages_ms"].values())
    assert not list(tmp_path.iterdir())
