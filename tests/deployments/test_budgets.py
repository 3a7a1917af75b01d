"""A budget is told of at 80 %, and where it stops, requests are refused and then deployments stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail

from apps.accounts.models import Membership, Organization, User
from apps.core.errors import InvalidRequest, NotFound, PaymentRequired
from apps.deployments import budgets, services
from apps.deployments.catalogue import read_table
from apps.deployments.models import Budget, Deployment, Run
from apps.deployments.resolving import Choice, resolve
from apps.deployments.states import State
from tests.deployments.tables import deployment

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def one(acme: Organization, clock: time_machine.Coordinates) -> Deployment:
    """Runs for a dollar an hour."""
    owner = User.objects.create_user("olive@acme.example")
    Membership.objects.create(organization=acme, user=owner, role="owner")
    made = deployment(organization=acme, spoken={"models": ["own"]})
    Run.objects.create(
        deployment=made, organization=acme, replica="r1", price_per_hour=Decimal(1), started_at=START
    )
    return made


def watched(clock: time_machine.Coordinates, hours: float) -> Budget:
    clock.shift(timedelta(hours=hours))
    budgets.watch()
    return Budget.objects.get()


def meant(organization: Organization, model: str | None) -> Choice:
    return resolve(read_table(), organization_id=organization.pk, model=model, voice=None)


def test_owners_are_told_once_a_month(
    one: Deployment, acme: Organization, clock: time_machine.Coordinates, django_capture_on_commit_callbacks
) -> None:
    budgets.set_budget(acme, monthly_usd=Decimal(10), stops=False)
    assert watched(clock, 7.9).warned_at is None
    with django_capture_on_commit_callbacks(execute=True):
        assert watched(clock, 0.2).warned_at is not None
        watched(clock, 1)
    [told] = mail.outbox
    assert told.to == ["olive@acme.example"]
    assert "$8.10 this month, of a budget of $10.00" in told.body
    budget = watched(clock, 30)
    assert budget.exhausted_at is None
    one.refresh_from_db()
    assert one.state == State.READY
    assert watched(clock, 470).warned_at is None  # a new month


def test_five_minutes_before_it_is_reached_requests_are_refused_and_then_it_stops(
    one: Deployment, acme: Organization, clock: time_machine.Coordinates
) -> None:
    budgets.set_budget(acme, monthly_usd=Decimal(10), stops=True)
    watched(clock, 9.9)
    assert meant(acme, "own").model == "own"
    assert watched(clock, 0.02).exhausted_at is not None
    with pytest.raises(PaymentRequired) as refused:
        meant(acme, "own")
    assert (refused.value.status, refused.value.headers) == (402, {"x-should-retry": "false"})
    one.refresh_from_db()
    assert one.state == State.READY
    watched(clock, 61 / 3600)
    one.refresh_from_db()
    assert one.state == State.DRAINING
    assert one.events.get().reason == "The budget of 10.00 $ a month is used up."


def test_what_shared_ones_speak_goes_on(
    one: Deployment, acme: Organization, globex: Organization, clock: time_machine.Coordinates
) -> None:
    deployment("shared")
    budgets.set_budget(acme, monthly_usd=Decimal(1), stops=True)
    watched(clock, 2)
    assert meant(acme, "hibari").model == "hibari"
    assert meant(acme, None).model == "hibari"
    with pytest.raises(NotFound):
        meant(globex, "own")


def test_nothing_starts_until_it_is_raised(
    one: Deployment, acme: Organization, clock: time_machine.Coordinates
) -> None:
    budgets.set_budget(acme, monthly_usd=Decimal(1), stops=True)
    watched(clock, 2)
    one.refresh_from_db()
    services.stop_deployment(one)
    Deployment.objects.update(state=State.STOPPED)
    one.refresh_from_db()
    Run.objects.update(ended_at=START + timedelta(hours=2))
    with pytest.raises(PaymentRequired):
        services.start_deployment(one)
    with pytest.raises(PaymentRequired):
        services.create_deployment(organization=acme, name="two", engine="cpu")
    # It stays so, although nothing is spent any more.
    assert watched(clock, 1).exhausted_at is not None
    budgets.set_budget(acme, monthly_usd=Decimal(50), stops=True)
    services.start_deployment(one)
    assert one.state == State.REQUESTED


def test_a_new_month_begins_anew(
    one: Deployment, acme: Organization, clock: time_machine.Coordinates
) -> None:
    budgets.set_budget(acme, monthly_usd=Decimal(1), stops=True)
    watched(clock, 2)
    Run.objects.update(ended_at=START + timedelta(hours=2))
    assert watched(clock, 24 * 21).exhausted_at is None


@pytest.mark.parametrize("amount", ["0", "-1", "1000001"])
def test_a_budget_that_is_none(acme: Organization, amount: str) -> None:
    with pytest.raises(InvalidRequest):
        budgets.set_budget(acme, monthly_usd=Decimal(amount), stops=True)


def test_a_budget_can_go(acme: Organization) -> None:
    budgets.set_budget(acme, monthly_usd=Decimal(5), stops=True)
    budgets.remove_budget(acme)
    assert budgets.budget_of(acme) is None
