"""The dashboard's figures."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.console import dashboard
from apps.deployments.models import Deployment
from apps.usage.models import RollupState, UsageHour
from apps.usage.rollups import roll_up
from tests.cast import signed_in
from tests.usage.rows import process, record

FIGURES = "/admin/numbers"


def test_requests_are_counted_by_their_time(acme: Organization) -> None:
    now = timezone.now()
    record(acme, ttfb_ms=100)
    record(acme, at=now - timedelta(minutes=10), ttfb_ms=200)
    record(acme, at=now - timedelta(minutes=20), state="failed", error_code="worker_failed")
    record(acme, at=now - timedelta(minutes=30), state="cancelled", ttfb_ms=300)
    record(acme, at=now - timedelta(hours=3), ttfb_ms=9000)
    record(acme, at=now - timedelta(days=2))
    record(acme, state="open")
    found = dashboard.numbers().requests
    assert (found.last_minute, found.last_hour, found.last_day, found.open) == (2, 5, 6, 1)
    assert (found.broken, found.error_rate) == (1, 0.2)
    assert (found.p50_ms, found.p95_ms) == (200, 290)


def test_a_days_requests_are_the_same_from_sums(acme: Organization) -> None:
    now = timezone.now()
    before, second = now - timedelta(days=1), timedelta(seconds=1)
    for moment in (before - second, before + 60 * second, before + timedelta(hours=2), now):
        record(acme, at=moment)
    record(acme, at=now - timedelta(hours=5), state="open")
    assert dashboard.numbers().requests.last_day == 4
    roll_up()
    assert dashboard.numbers().requests.last_day == 4
    UsageHour.objects.update(requests=10)
    assert dashboard.numbers().requests.last_day > 10


def test_sums_that_are_late_are_said(staff: Client) -> None:
    assert "not made yet" in staff.get(FIGURES).content.decode()
    roll_up()
    assert "up to date" in staff.get(FIGURES).content.decode()
    RollupState.objects.update(rolled_up_at=timezone.now() - timedelta(minutes=11))
    assert "made 11\u00a0minutes ago" in staff.get(FIGURES).content.decode()
    assert ">late<" in staff.get(FIGURES).content.decode()


def test_an_empty_platform_has_no_rate_and_no_latency(db: None) -> None:
    found = dashboard.numbers()
    assert found.requests.error_rate is None
    assert found.requests.p95_ms is None
    assert found.deployments == found.workers == found.failures == []


def test_failures_newest_first_of_a_day(acme: Organization) -> None:
    now = timezone.now()
    older = record(acme, at=now - timedelta(hours=2), state="cut", error_code="process_died")
    newer = record(acme, state="failed", error_code="worker_failed")
    record(acme, at=now - timedelta(days=2), state="failed")
    assert dashboard.numbers().failures == [newer, older]


def test_the_page_and_its_fragment_show_them(staff: Client, acme: Organization) -> None:
    broken = record(acme, state="failed", error_code="worker_failed")
    Deployment.objects.create(name="shared-cpu", engine="cpu", state="ready")
    process()
    for page in ("/admin/", FIGURES):
        shown = staff.get(page).content.decode()
        assert broken.request_id in shown
        assert "1 ready" in shown
        # The servers of other tests may beat in this database, too.
        assert re.search(r"\b[123] speech process(es)? alive", shown)


def test_redis_away_is_said(staff: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    shown = staff.get(FIGURES)
    assert shown.status_code == 200
    assert ">away<" in shown.content.decode()
    assert "not known" in shown.content.decode()


def test_celery_queue_is_the_one_celery_uses(db: None) -> None:
    from apps.usage.tasks import reconcile

    before = dashboard.numbers().redis.queue
    reconcile.apply_async()
    assert before is not None
    assert dashboard.numbers().redis.queue == before + 1


def test_figures_are_for_staff_and_send_others_to_sign_in(alice: User) -> None:
    for client in (Client(), signed_in(alice)):
        response = client.get(FIGURES)
        assert response.status_code == 403
        assert response.headers["HX-Refresh"] == "true"
