"""Prices as Verda tells them, and its bill beside our own record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.deployments import bills, prices
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
    [check] = bills.check_bills()
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


def told_of(check: BillCheck) -> Any:
    """The one mail about it."""
    [due] = bills.due_for_mail()
    assert due == check.pk
    assert [bills.mail(due) for _ in range(2)] == [True, False]
    [told] = mail.outbox
    check.refresh_from_db()
    assert check.mailed_at is not None
    assert bills.due_for_mail() == []
    return told


def test_staff_who_may_see_bills_are_told_once_by_mail(verda: FakeVerda) -> None:
    User.objects.create_superuser("root@voiceflow.example")
    clerk = User.objects.create_user("clerk@voiceflow.example", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_billcheck"))
    bookkeepers = Group.objects.create(name="Bookkeepers")
    bookkeepers.permissions.add(Permission.objects.get(codename="view_billcheck"))
    clerk.groups.add(bookkeepers)
    User.objects.create_user("editor@voiceflow.example", is_staff=True)
    User.objects.create_user("customer@acme.example")
    User.objects.create_superuser("left@voiceflow.example", is_active=False)
    checked(verda, "100")
    told = told_of(checked(verda, "87.5"))
    assert told.to == ["clerk@voiceflow.example", "root@voiceflow.example"]
    assert told.subject == "Verda took $12.50, recorded were $0.00"
    assert "by more than 5 %" in told.body
    assert "$87.50 are left" in told.body
    assert "http://localhost:8080/admin/deployments/billcheck/" in told.body


def test_a_bill_that_agrees_is_told_to_nobody(verda: FakeVerda) -> None:
    User.objects.create_superuser("root@voiceflow.example")
    for balance in ("100", "99.5", "500"):
        check = checked(verda, balance)
        assert not bills.mail(check.pk)
    assert bills.due_for_mail() == []
    assert mail.outbox == []


def test_a_mail_that_fails_is_sent_later(verda: FakeVerda, settings: Any) -> None:
    User.objects.create_superuser("root@voiceflow.example")
    checked(verda, "100")
    check = checked(verda, "50")
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    settings.EMAIL_PORT = 9
    with pytest.raises(OSError), transaction.atomic():
        bills.mail(check.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    told_of(check)


def test_of_an_old_bill_nobody_is_told(verda: FakeVerda) -> None:
    checked(verda, "100")
    checked(verda, "50")
    BillCheck.objects.update(created_at=timezone.now() - timedelta(days=3))
    assert bills.due_for_mail() == []
