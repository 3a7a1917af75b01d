"""The tab of requests on a deployment's page: alice owns acme, bob is a member there, charlie an outsider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from apps.accounts.models import Organization, User
from apps.deployments.models import Deployment, Run
from apps.usage import of_deployment
from apps.usage.of_deployment import RANGES
from apps.usage.rollups import roll_up
from tests.cast import signed_in
from tests.usage.rows import record

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def own(acme: Organization) -> Deployment:
    return Deployment.objects.create(organization=acme, name="reader", engine="cpu", state="ready")


def spoke(deployment: Deployment, *, hours_ago: float = 0, **fields: Any) -> None:
    assert deployment.organization is not None
    at = NOW - timedelta(hours=hours_ago)
    record(deployment.organization, at=at, deployment=deployment, **{"ttfb_ms": 100.0} | fields)


def page(user: User, deployment: Deployment, query: str = "") -> str:
    response = signed_in(user).get(f"/deployments/{deployment.pk}/requests{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_without_requests_it_says_what_will_be_here(bob: User, own: Deployment) -> None:
    html = page(bob, own)
    assert "No requests in this time" in html
    assert f'href="/deployments/{own.pk}?tab=speak"' in html
    assert "Its machines ran" not in html


def test_it_is_a_tab_of_the_deployments_page(bob: User, own: Deployment) -> None:
    html = page(bob, own)
    assert f'href="/deployments/{own.pk}/requests" aria-current="page">Requests</a>' in html
    assert f'href="/deployments/{own.pk}?tab=scaling">Scaling</a>' in html
    assert "Replicas ready" in html
    other = signed_in(bob).get(f"/deployments/{own.pk}?tab=requests").content.decode()
    assert f'href="/deployments/{own.pk}/requests">Requests</a>' in other


@pytest.mark.parametrize("is_summed_up", [False, True])
def test_its_figures_by_hour_and_day(
    bob: User, own: Deployment, acme: Organization, is_summed_up: bool
) -> None:
    spoke(own, audio_ms=90_000, ttfb_ms=100.0)
    spoke(own, audio_ms=0, state="failed", ttfb_ms=None)
    spoke(own, hours_ago=5, audio_ms=30_000, ttfb_ms=200.0)
    spoke(own, hours_ago=30)
    spoke(own, hours_ago=24 * 10)
    record(acme, deployment=Deployment.objects.create(name="shared", engine="cpu"))
    if is_summed_up:
        roll_up()
    html = page(bob, own)
    assert "3 requests in 24 hours" in html
    assert "Fri 20 Nov, 12:00 UTC: 2 requests, 1 failed or cut" in html
    assert 'data-says="Fri 20 Nov, 07:00 UTC: 1 request"' in html
    assert "Fri 20 Nov, 08:00 UTC: no audio" in html
    assert '<span class="muted">33\u202f%</span>' in html
    assert "2.0 <span" in html
    assert "4 requests in 7 days" in page(bob, own, "?range=7d")
    assert "5 requests in 30 days" in page(bob, own, "?range=30d")
    assert "3 requests in 24 hours" in page(bob, own, "?range=nonsense")


def test_machines_by_the_audio_minute(bob: User, own: Deployment, acme: Organization) -> None:
    Run.objects.create(
        deployment=own,
        organization=acme,
        replica="r1",
        price_per_hour=Decimal("0.6"),
        started_at=NOW - timedelta(hours=2),
    )
    assert "Its machines ran and nobody used them." in page(bob, own)
    spoke(own, audio_ms=120_000)
    html = page(bob, own)
    assert "$1.20" in html
    assert "$0.6000" in html


def test_bounds_lie_on_whole_hours_and_days() -> None:
    assert RANGES["24h"].slots(NOW)[0] == datetime(2026, 11, 19, 13, tzinfo=UTC)
    assert RANGES["24h"].slots(NOW)[-1] == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert RANGES["30d"].slots(NOW)[0] == datetime(2026, 10, 22, tzinfo=UTC)


def test_latencies_of_all_are_not_the_mean_of_hours(own: Deployment, acme: Organization) -> None:
    for number in range(9):
        spoke(own, hours_ago=1, ttfb_ms=100.0 + number)
    spoke(own, ttfb_ms=5000.0)
    report = of_deployment.report(own, acme.pk, RANGES["24h"])
    assert report.ttfb_p50_ms == pytest.approx(104, rel=0.05)
    assert [slot.requests for slot in report.slots[-2:]] == [9, 1]


def test_what_is_not_ones_own_is_not_there(
    charlie: User, globex: Organization, alice: User, own: Deployment
) -> None:
    shared = Deployment.objects.create(name="shared", engine="cpu")
    for user, pk in ((charlie, own.pk), (charlie, shared.pk), (alice, shared.pk), (alice, uuid4())):
        assert signed_in(user).get(f"/deployments/{pk}/requests").status_code == 404


@pytest.mark.parametrize("chosen", RANGES)
def test_queries_do_not_grow(
    alice: User, own: Deployment, django_assert_num_queries: Any, chosen: str
) -> None:
    for number in range(12):
        spoke(own, hours_ago=number * 20, voice=f"voice-{number}")
        if number == 5:
            roll_up()
    client = signed_in(alice)
    with django_assert_num_queries(10):
        client.get(f"/deployments/{own.pk}/requests?range={chosen}")
