"""What runs cost, by the minute and by the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.deployments import costs
from apps.deployments.models import Run
from tests.deployments.tables import deployment

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


def ran(minutes: float | None, *, price: str | None = "0.6000", **fields: Any) -> Run:
    """From noon on; without minutes it still runs."""
    owner = fields.pop("organization", None)
    of = fields.pop("deployment", None) or deployment(f"d{Run.objects.count()}", organization=owner)
    starts = fields.pop("starts", NOON)
    return Run.objects.create(
        deployment=of,
        organization=of.organization,
        replica=f"r{Run.objects.count()}",
        price_per_hour=price and Decimal(price),
        started_at=starts,
        ended_at=None if minutes is None else starts + timedelta(minutes=minutes),
        **fields,
    )


def cost(since: datetime = NOON, hours: float = 1) -> Decimal:
    return costs.of(Run.objects.all(), since=since, until=since + timedelta(hours=hours))


def test_a_machine_is_paid_for_by_the_begun_minute() -> None:
    ran(29.01)
    assert cost() == Decimal("0.3")


def test_a_container_is_paid_for_by_the_second() -> None:
    ran(29.5, is_estimated=True)
    assert cost() == Decimal("0.295")


def test_what_still_runs_is_paid_for_until_then() -> None:
    ran(None)
    assert cost(hours=2) == Decimal("1.2")


def test_only_what_is_within_counts() -> None:
    ran(600)
    assert cost(NOON + timedelta(hours=9)) == Decimal("0.6")
    assert cost(NOON + timedelta(hours=11)) == 0
    assert cost(NOON - timedelta(hours=2)) == 0


def test_without_a_price_it_costs_nothing() -> None:
    ran(60, price=None)
    assert cost() == 0


def test_the_month_of_an_organization(acme: Organization, globex: Organization) -> None:
    one = ran(None, organization=acme)
    ran(60, deployment=one.deployment)
    ran(None, organization=globex)
    ran(None)
    seen = costs.spending(acme, NOON + timedelta(hours=10))
    assert (seen.month_to_date, seen.per_hour, seen.is_estimated) == (Decimal("6.6"), Decimal("0.6"), False)
    hours_left = 20 * 24 + 2
    assert seen.forecast == Decimal("6.6") + Decimal("0.6") * hours_left
    by = costs.by_deployment(acme, since=NOON, until=NOON + timedelta(hours=10))
    assert by == {one.deployment_id: Decimal("6.6")}


def test_the_month_before_is_over(acme: Organization) -> None:
    ran(60, organization=acme, starts=NOON - timedelta(days=20))
    assert costs.spending(acme, NOON).month_to_date == 0
    assert not costs.spending(acme, NOON).is_estimated
