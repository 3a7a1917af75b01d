"""Prices as Verda tells them, and its bill beside our own record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.deployments import prices
from apps.deployments.models import BillCheck, GpuPrice, Run
from apps.deployments.offers import gpu_offers
from apps.deployments.states import State
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.tables import deployment
from tests.deployments.verda.platform import deployed, set_up
from tests.fakes.verda import FakeVerda

pytestmark = pytest.mark.django_db


@pytest.fixture
def verda(settings: Any, fake_worker: FakeWorker) -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        set_up(settings, fake, fake_worker)
        yield fake


def test_prices_and_places_are_verdas(verda: FakeVerda) -> None:
    [a6000] = [offer for offer in gpu_offers() if offer.name == "a6000-48gb"]
    assert (a6000.is_live, a6000.spot_price, a6000.on_demand_price) == (
        True,
        Decimal("0.125"),
        Decimal("0.485"),
    )
    assert [place.location for place in a6000.availability or ()] == ["FIN-01", "FIN-03"]


def test_the_newest_price_counts(verda: FakeVerda) -> None:
    verda.hardware["1A6000.10V"].spot_price = Decimal("0.2")
    assert prices.sample() == len(gpu_offers())
    assert prices.newest("verda")["a6000-48gb"].spot == Decimal("0.2")
    assert GpuPrice.objects.filter(gpu="a6000-48gb").count() == 2


def test_an_old_price_is_none(verda: FakeVerda) -> None:
    GpuPrice.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert not gpu_offers()[0].is_live


def test_what_verda_does_not_tell_is_not_written(verda: FakeVerda) -> None:
    verda.faults.add("/container-types", kind="forbidden")
    assert prices.sample() == 0


@pytest.mark.parametrize(("is_spot", "price"), [(True, "0.2380"), (False, "0.9510")])
def test_a_deployment_knows_what_it_costs(verda: FakeVerda, is_spot: bool, price: str) -> None:
    made = deployed(is_spot=is_spot)
    made.refresh_from_db()
    assert (made.state, str(made.price_per_hour)) == (State.REQUESTED, price)


def checked(verda: FakeVerda, balance: str) -> BillCheck:
    verda.balance = Decimal(balance)
    [check] = prices.check_bills()
    return check


def test_the_bill_is_as_we_recorded_it(verda: FakeVerda) -> None:
    assert checked(verda, "100").taken is None
    BillCheck.objects.update(created_at=timezone.now() - timedelta(days=1))
    Run.objects.create(
        deployment=deployment(provider="verda"),
        replica="r1",
        price_per_hour=Decimal("0.5"),
        started_at=timezone.now() - timedelta(days=3),
    )
    check = checked(verda, "88")
    assert (check.taken, check.is_off) == (Decimal(12), False)
    assert abs((check.recorded or 0) - 12) < Decimal("0.1")


def test_a_bill_that_is_off_is_said(verda: FakeVerda) -> None:
    checked(verda, "100")
    assert checked(verda, "90").is_off


def test_a_day_on_which_somebody_paid_in_says_nothing(verda: FakeVerda) -> None:
    checked(verda, "100")
    check = checked(verda, "500")
    assert (check.taken, check.is_off) == (None, False)
