"""Providers on the dashboard: by what is written down of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.console.provider_health import ProviderHealth, health_of_providers
from apps.deployments.models import BillCheck, Deployment, GpuPrice, Orphan, Worker
from tests.deployments.tables import deployment, worker

pytestmark = pytest.mark.django_db
FIGURES = "/admin/numbers"


@pytest.fixture
def live(settings: Any) -> None:
    settings.DEMO_MODE = False


def health() -> ProviderHealth:
    [found] = health_of_providers(timezone.now())
    return found


def priced(**ago: int) -> None:
    GpuPrice.objects.create(provider="verda", gpu="a100-40gb", spot=Decimal("0.2"))
    GpuPrice.objects.update(created_at=timezone.now() - timedelta(**ago))


def troubled(code: str, **fields: Any) -> Deployment:
    defaults = {"provider": "verda", "error_code": code, "error_message": f"Words of {code}."}
    return deployment(code.replace("_", "-"), **defaults | fields)


def test_this_machine_asks_for_no_money(staff: Client) -> None:
    worker(deployment())
    found = health()
    assert (found.label, found.word, found.tone, found.orphans) == ("This machine", "no trouble", "good", 0)
    assert [(count.label, count.value) for count in found.deployments] == [("Ready", 1)]
    assert [(count.label, count.value) for count in found.workers] == [("Ready", 1)]
    for page in ("/admin/", FIGURES):
        shown = staff.get(page).content.decode()
        assert "This machine" in shown
        assert "Bill</a>" not in shown


@pytest.mark.usefixtures("live")
def test_one_that_tells_prices_answers() -> None:
    assert (health().word, health().tone) == ("not heard of yet", "warning")
    priced(minutes=70)
    assert (health().word, health().tone) == ("answers", "good")
    priced(hours=3)
    assert (health().word, health().tone) == ("silent", "warning")


@pytest.mark.usefixtures("live")
def test_the_last_trouble_is_told_and_that_of_workers_is_not(staff: Client) -> None:
    priced(minutes=1)
    troubled("worker_crashed")
    troubled("too_many_losses", state="failed")
    old = timezone.now() - timedelta(days=2)
    troubled("no_such_gpu", state="failed", state_changed_at=old)
    assert health().trouble is None
    troubled("no_capacity", state="failed")
    newest = troubled("insufficient_funds")
    assert health().trouble == newest
    assert (health().word, health().tone) == ("in trouble", "bad")
    shown = staff.get(FIGURES).content.decode()
    assert "Words of insufficient_funds." in shown
    assert "Words of no_capacity." not in shown


@pytest.mark.usefixtures("live")
def test_a_bill_that_is_off_and_what_nobody_accounts_for(staff: Client) -> None:
    priced(minutes=1)
    BillCheck.objects.create(provider="verda", balance=Decimal(100))
    assert "not compared" in staff.get(FIGURES).content.decode()
    BillCheck.objects.create(provider="verda", balance=60, taken=Decimal("40.5"), recorded=9, is_off=True)
    for removed_at in (None, None, timezone.now()):
        Orphan.objects.create(
            provider="verda", provider_id=uuid4(), seen_at=timezone.now(), removed_at=removed_at
        )
    shown = staff.get(FIGURES).content.decode()
    assert "took $40.50, recorded $9.00; $60.00 left" in shown
    assert "2 running" in shown


@pytest.mark.usefixtures("live")
def test_one_that_new_deployments_run_at_no_more_is_shown_while_it_has_something() -> None:
    deployment(state="asleep")
    assert [found.label for found in health_of_providers(timezone.now())] == ["This machine", "Verda"]


@pytest.mark.usefixtures("live")
def test_it_costs_as_many_queries_whatever_there_is(django_assert_num_queries: Any) -> None:
    for number in range(4):
        made = deployment(f"number-{number}", provider="verda")
        worker(made, state=Worker.State.STARTING)
    with django_assert_num_queries(6):  # deployments, workers, troubles, orphans; its prices, its bill
        health()
