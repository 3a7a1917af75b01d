"""What deployments cost, and their budget: alice owns acme, bob is a member there, charlie is an outsider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from apps.accounts.models import Organization, User
from apps.deployments import budgets
from apps.deployments.models import Budget, Deployment, Run
from apps.deployments.states import State
from tests.cast import acme, alice, bob, charlie, globex, signed_in
from tests.deployments.own import demo_mode, own

__all__ = ["acme", "alice", "bob", "charlie", "demo_mode", "globex"]
NOW = datetime(2026, 11, 20, tzinfo=UTC)
BUDGET = "/deployments/budget"


@pytest.fixture(autouse=True)
def ten_days_left() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def ran(deployment: Deployment, *, hours: int = 10, **fields: Any) -> Run:
    """Runs for half a dollar an hour, still."""
    return Run.objects.create(
        deployment=deployment,
        organization=deployment.organization,
        replica=f"{deployment.name}-r1",
        price_per_hour=Decimal("0.5"),
        started_at=NOW - timedelta(hours=hours),
        **fields,
    )


def exhaust(organization: Organization, monthly_usd: str = "5.04") -> None:
    budgets.set_budget(organization, monthly_usd=Decimal(monthly_usd), stops=True)
    budgets.watch()
    assert Budget.objects.get().exhausted_at == NOW


def page(user: User, path: str) -> str:
    response = signed_in(user).get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_says_what_the_month_costs(bob: User, acme: Organization) -> None:
    ran(own(acme))
    html = page(bob, "/deployments")
    for told in ("$5.00", "$0.50 <", f"${5 + Decimal('0.5') * 24 * 11:.2f}", "since 1 Nov", "any amount"):
        assert told in html
    assert "nothing is billed in demo mode" in html
    assert "estimated" not in html
    Run.objects.update(is_estimated=True)
    assert "estimated" in page(bob, "/deployments")


def test_without_deployments_and_costs_there_is_no_money_to_tell_of(alice: User, acme: Organization) -> None:
    assert "Spent this month" not in page(alice, "/deployments")
    budgets.set_budget(acme, monthly_usd=Decimal(5), stops=False)
    assert "Spent this month" in page(alice, "/deployments")


def test_where_it_is_billed_nothing_else_is_said(alice: User, acme: Organization, settings: Any) -> None:
    settings.DEMO_MODE = False
    ran(own(acme))
    assert "nothing is billed" not in page(alice, "/deployments")
    assert "nothing is billed" not in page(alice, BUDGET)


def test_a_deployment_says_what_it_cost_this_month(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    ran(deployment)
    ran(own(acme, name="other"), hours=4)
    html = page(alice, f"/deployments/{deployment.pk}")
    assert "<dt>This month</dt>" in html
    assert "$5.00" in html


@pytest.mark.parametrize(
    ("monthly_usd", "stops", "says"),
    [
        ("50", False, "10\u202f% spent, only warns"),
        ("50", True, "10\u202f% spent, then they are stopped"),
        ("6", True, "83\u202f% spent, nearly used up"),
        ("4", False, "125\u202f% spent, over budget"),
    ],
)
def test_how_the_budget_stands_is_said(
    alice: User, acme: Organization, monthly_usd: str, stops: bool, says: str
) -> None:
    ran(own(acme))
    budgets.set_budget(acme, monthly_usd=Decimal(monthly_usd), stops=stops)
    assert says in page(alice, "/deployments")
    for path in ("/deployments", BUDGET):
        html = page(alice, path)
        assert says.partition(", ")[2] in html
        assert 'role="meter"' in html
        assert "is used up this month" not in html


def test_when_it_is_used_up_each_page_says_so_and_the_way_out(
    alice: User, bob: User, acme: Organization
) -> None:
    deployment = own(acme)
    ran(deployment)
    exhaust(acme)
    for path in ("/deployments", f"/deployments/{deployment.pk}", "/deployments/new"):
        html = page(alice, path)
        assert "The budget of $5.04 is used up this month." in html
        assert "budget_exhausted" in html
        assert 'datetime="2026-12-01"' in html
        assert f'href="{BUDGET}"' in html
    assert "An owner or an admin of Acme can raise it" in page(bob, "/deployments")


def test_raising_it_makes_room_and_says_what_to_do(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    ran(deployment)
    exhaust(acme)
    response = signed_in(alice).post(BUDGET, {"monthly_usd": "100", "stops": "yes"}, follow=True)
    assert response.redirect_chain == [("/deployments", 302)]
    html = response.content.decode()
    assert "There is room again." in html
    assert "is used up this month" not in html
    assert Budget.objects.get().exhausted_at is None


def stopped_by_it(organization: Organization, *names: str) -> None:
    """Those stop when the budget is used up."""
    for name in names:
        ran(own(organization, name=name))
    exhaust(organization, "1")
    with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
        budgets.watch()
    Deployment.objects.filter(state=State.DRAINING).update(state=State.STOPPED)
    Run.objects.update(ended_at=NOW)


def test_what_the_budget_stopped_is_started_again_in_one_step(
    alice: User, bob: User, acme: Organization
) -> None:
    own(acme, name="stopped-before", state=State.STOPPED)
    stopped_by_it(acme, "one", "two")
    offer = "Start the 2 deployments that the budget stopped"
    client = signed_in(alice)
    for path in ("/deployments", BUDGET):
        assert offer not in page(alice, path)
    too_soon = client.post(f"{BUDGET}/resume", follow=True).content.decode()
    assert "budget for deployments is used up this month" in too_soon
    response = client.post(BUDGET, {"monthly_usd": "100", "stops": "yes"}, follow=True)
    assert offer in response.content.decode()
    assert offer in page(alice, BUDGET)
    html = page(bob, "/deployments")
    assert "An owner or an admin of Acme can start them." in html
    assert offer not in html
    assert signed_in(bob).post(f"{BUDGET}/resume").status_code == 403
    assert client.get(f"{BUDGET}/resume").status_code == 405
    assert "On their way: one, two." in client.post(f"{BUDGET}/resume", follow=True).content.decode()
    states = dict(Deployment.objects.values_list("name", "state"))
    assert states == {"one": "requested", "two": "requested", "stopped-before": "stopped"}
    assert "that the budget stopped" not in page(alice, "/deployments")


def test_what_cannot_start_is_named_and_keeps_no_other_back(
    alice: User, acme: Organization, settings: Any
) -> None:
    settings.LIMIT_DEPLOYMENTS = 1
    stopped_by_it(acme, "one", "two")
    client = signed_in(alice)
    client.post(f"{BUDGET}/remove")
    html = client.post(f"{BUDGET}/resume", follow=True).content.decode()
    assert "On their way: one." in html
    assert "two: Your organization may run 1 deployments at once." in html
    assert "Start the deployment that the budget stopped" in html


def test_a_budget_is_set_changed_and_removed(alice: User, acme: Organization) -> None:
    client = signed_in(alice)
    html = client.get(BUDGET).content.decode()
    assert "Remove budget" not in html
    assert "5 minutes before it is reached" in html
    assert "60 seconds later" in html
    assert client.post(BUDGET, {"monthly_usd": "20.50", "stops": "no"}).status_code == 302
    budget = Budget.objects.get()
    assert (budget.organization, budget.monthly_usd, budget.stops) == (acme, Decimal("20.50"), False)
    html = client.get(BUDGET).content.decode()
    assert 'value="20.50"' in html
    client.post(BUDGET, {"monthly_usd": "30", "stops": "yes"})
    budget.refresh_from_db()
    assert (budget.monthly_usd, budget.stops) == (30, True)
    assert client.get(f"{BUDGET}/remove").status_code == 405
    response = client.post(f"{BUDGET}/remove", follow=True)
    assert "There is no budget any more" in response.content.decode()
    assert not Budget.objects.exists()


def test_one_that_is_spent_already_is_said(alice: User, acme: Organization) -> None:
    ran(own(acme))
    response = signed_in(alice).post(BUDGET, {"monthly_usd": "3", "stops": "no"}, follow=True)
    assert "More than that is spent already." in response.content.decode()


@pytest.mark.parametrize("amount", ["", "0", "-3", "1000001", "0.001", "much", "NaN", "1e400"])
def test_an_amount_that_is_none_comes_back_with_what_was_chosen(
    alice: User, acme: Organization, amount: str
) -> None:
    response = signed_in(alice).post(BUDGET, {"monthly_usd": amount, "stops": "yes"})
    html = response.content.decode()
    assert response.status_code == 400
    assert "One field needs another look." in html
    assert f'value="{amount}"' in html or not amount
    assert re.search(r'value="yes"[^>]* checked', html)
    assert not Budget.objects.exists()


def test_without_a_choice_it_is_asked_for(alice: User, acme: Organization) -> None:
    response = signed_in(alice).post(BUDGET, {"monthly_usd": "7", "stops": "perhaps"})
    assert response.status_code == 400
    assert 'value="7"' in response.content.decode()
    assert not Budget.objects.exists()


def test_a_member_reads_and_sets_nothing(bob: User, acme: Organization) -> None:
    budgets.set_budget(acme, monthly_usd=Decimal(5), stops=False)
    html = page(bob, BUDGET)
    assert 'value="5.00"' in html
    assert '<fieldset class="form plain" disabled>' in html
    assert "Save budget" not in html
    client = signed_in(bob)
    assert client.post(BUDGET, {"monthly_usd": "9", "stops": "yes"}).status_code == 403
    assert client.post(f"{BUDGET}/remove").status_code == 403
    assert Budget.objects.get().monthly_usd == 5


def test_another_organizations_money_is_not_there(
    acme: Organization, charlie: User, globex: Organization
) -> None:
    ran(own(acme))
    exhaust(acme)
    client = signed_in(charlie)
    for path in ("/deployments", BUDGET):
        html = client.get(path).content.decode()
        assert "$5." not in html
        assert "is used up this month" not in html
    Deployment.objects.update(state=State.STOPPED, stopped_by_budget=True)
    client.post(f"{BUDGET}/resume")
    assert not Deployment.objects.exclude(state=State.STOPPED).exists()
    client.post(f"{BUDGET}/remove")
    client.post(BUDGET, {"monthly_usd": "70", "stops": "no"})
    assert Budget.objects.get(organization=acme).monthly_usd == Decimal("5.04")


def test_queries_of_the_budget_page(alice: User, acme: Organization, django_assert_num_queries: Any) -> None:
    for number in range(5):
        ran(own(acme, name=f"d{number}", state=State.READY))
    budgets.set_budget(acme, monthly_usd=Decimal(5), stops=False)
    client = signed_in(alice)
    with django_assert_num_queries(6):
        client.get(BUDGET)
