"""What machines cost beside what was spoken on them: by deployment, by audio minute, by who shared them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.deployments.models import Deployment, Run
from apps.usage import reports, sharing
from tests.cast import acme, globex
from tests.keys.api_client import ApiClient
from tests.usage.rows import record

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = reports.Period(NOON.date(), NOON.date())


def ran(of: Deployment, hours: float, price: str = "0.6") -> None:
    Run.objects.create(
        deployment=of,
        organization=of.organization,
        replica="r1",
        price_per_hour=Decimal(price),
        started_at=NOON,
        ended_at=NOON + timedelta(hours=hours),
    )


def test_ones_own_costs_by_the_audio_minute(acme: Organization) -> None:
    own = Deployment.objects.create(organization=acme, name="own", engine="cpu")
    shared = Deployment.objects.create(name="shared", engine="cpu")
    for one in (own, shared):
        ran(one, 2)
        record(acme, at=NOON, deployment=one, audio_ms=90_000)
    by_name = {
        row.deployment.name: row for row in reports.by_deployment(reports.select(acme, DAY)) if row.deployment
    }
    assert by_name["own"].cost_usd == Decimal("1.2")
    assert by_name["own"].cost_per_audio_minute_usd == Decimal("0.8")
    assert by_name["shared"].cost_usd is None
    narrowed = reports.by_deployment(reports.select(acme, DAY, mode="live"))
    assert {row.cost_usd for row in narrowed} == {None}


def test_the_api_tells_it(acme: Organization) -> None:
    own = Deployment.objects.create(organization=acme, name="own", engine="cpu")
    ran(own, 1)
    record(acme, at=NOON, deployment=own, audio_ms=0)
    answer = ApiClient(acme).get("/api/stats", start=DAY.first.isoformat(), end=DAY.last.isoformat()).json()
    [row] = answer["deployments"]
    assert (row["cost_usd"], row["cost_per_audio_minute_usd"]) == ("0.600000", None)


def spoken(of: Deployment, by: Organization, seconds: int) -> None:
    record(by, at=NOON, deployment=of, engine_ms=seconds * 1000)


def split() -> Any:
    [one] = sharing.split(NOON, NOON + timedelta(hours=2))
    return one


def test_a_shared_one_is_paid_for_by_engine_time(acme: Organization, globex: Organization) -> None:
    shared = Deployment.objects.create(name="shared", engine="cpu")
    ran(shared, 1, "1")
    spoken(shared, acme, 900)
    spoken(shared, globex, 1800)
    found = split()
    assert found.parts == {acme.pk: Decimal("0.25"), globex.pk: Decimal("0.5")}
    assert (found.cost, found.idle) == (1, Decimal("0.25"))


def test_several_at_once_do_not_pay_twice(acme: Organization, globex: Organization) -> None:
    shared = Deployment.objects.create(name="shared", engine="cpu")
    ran(shared, 1, "1")
    spoken(shared, acme, 3600)
    spoken(shared, globex, 10_800)
    found = split()
    assert found.parts == {acme.pk: Decimal("0.25"), globex.pk: Decimal("0.75")}
    assert found.idle == 0


def test_what_nobody_used_is_the_operators(acme: Organization) -> None:
    shared = Deployment.objects.create(name="shared", engine="cpu")
    ran(shared, 1, "1")
    found = split()
    assert (found.parts, found.idle) == ({}, 1)
