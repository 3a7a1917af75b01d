"""Admin's pages of runs, prices, bills, budgets, orphans and provider keys."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.deployments.models import BillCheck, Budget, GpuPrice, Orphan, ProviderKey, Run
from apps.deployments.provider_keys import inference_key
from apps.deployments.states import State
from tests.admin.act import act
from tests.cast import signed_in
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.tables import deployment

pytestmark = pytest.mark.django_db
ADMIN = "/admin/deployments"
KEY = "sk-of-the-front-4711"
CREDENTIALS = ("secret-of-acme", "token-of-workers", "digest-told")


@pytest.fixture
def staff(settings: Any) -> Client:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing
    return signed_in(User.objects.create_superuser("staff@example.com"))


def page(staff: Client, path: str, **query: Any) -> str:
    response = staff.get(f"{ADMIN}/{path}", query)
    assert response.status_code == 200
    return response.content.decode()


def run(organization: Organization | None = None, *, name: str = "one", **fields: Any) -> Run:
    """For two dollars an hour, since an hour and a half."""
    made = deployment(name, organization=organization)
    since = timezone.now() - timedelta(minutes=90)
    defaults = {"replica": f"{name}-r1", "price_per_hour": Decimal(2), "started_at": since}
    return Run.objects.create(deployment=made, organization=organization, **defaults | fields)


def test_a_deployment_tells_what_it_costs_and_no_secret(staff: Client, acme: Organization) -> None:
    made = run(acme, is_estimated=True, started_at=timezone.now() - timedelta(seconds=1)).deployment
    made.keep_secrets({"HUB": CREDENTIALS[0]})
    made.worker_token, made.told = CREDENTIALS[1:]
    made.environment = {"LEVEL": "value-in-the-open"}
    made.save()
    for path in ("deployment/", f"deployment/{made.pk}/change/"):
        shown = page(staff, path)
        assert "$2.00" in shown
        assert "about $0.00" in shown
        for hidden in (*CREDENTIALS, "value-in-the-open"):
            assert hidden not in shown


def test_the_list_asks_once_whatever_it_holds(staff: Client, django_assert_max_num_queries: Any) -> None:
    run(name="first")
    with django_assert_max_num_queries(20) as few:
        page(staff, "deployment/")
    for number in range(6):
        run(name=f"more-{number}")
    with django_assert_max_num_queries(len(few)):
        page(staff, "deployment/")


def test_runs_with_what_they_cost(staff: Client, acme: Organization) -> None:
    still = run(acme, price_per_hour=Decimal("0.5"), is_estimated=True)
    over = run(name="shared", ended_at=timezone.now())
    free = run(name="free", price_per_hour=None)
    shown = page(staff, "run/")
    for told in (still.replica, "about $0.75", "$0.5000", "Acme", over.replica, "$3.0", "Shared by all"):
        assert told in shown
    assert over.replica not in page(staff, "run/", ended_at__isempty="1")
    assert free.replica in page(staff, "run/", q="free")
    assert "about $0.75" in page(staff, f"run/{still.pk}/change/")
    assert staff.post(f"{ADMIN}/run/{still.pk}/change/", {"price_per_hour": "0"}).status_code == 403
    assert staff.post(f"{ADMIN}/run/{still.pk}/delete/", {"post": "yes"}).status_code == 403


def test_prices_as_they_were_told(staff: Client) -> None:
    GpuPrice.objects.create(
        provider="verda", gpu="a100-40gb", spot=Decimal("0.2380"), spot_locations=["FIN-03", "FIN-01"]
    )
    shown = page(staff, "gpuprice/")
    assert "0.2380" in shown
    assert "FIN-01, FIN-03" in shown
    assert staff.get(f"{ADMIN}/gpuprice/add/").status_code == 403


def test_a_bill_that_is_off_is_red(staff: Client) -> None:
    first = BillCheck.objects.create(provider="verda", balance=Decimal(100))
    assert "Not compared" in page(staff, f"billcheck/{first.pk}/change/")
    agrees = BillCheck.objects.create(provider="verda", balance=Decimal(90), taken=10, recorded=10)
    off = BillCheck.objects.create(provider="verda", balance=Decimal(50), taken=40, recorded=9, is_off=True)
    shown = page(staff, "billcheck/")
    assert shown.index("Off") < shown.index("Agrees") < shown.index("Not compared")
    red = [line for line in shown.splitlines() if line.strip().startswith("bg-red")]
    assert len(red) == 1
    assert f"/{off.pk}/" in page(staff, "billcheck/", is_off__exact="1")
    assert f"/{agrees.pk}/" not in page(staff, "billcheck/", is_off__exact="1")


def test_a_budget_is_set_changed_and_removed_by_the_service(staff: Client, acme: Organization) -> None:
    run(acme, price_per_hour=Decimal(100))
    form = {"organization": str(acme.pk), "monthly_usd": "500.00"}
    assert staff.post(f"{ADMIN}/budget/add/", form).status_code == 302
    budget = Budget.objects.get()
    assert (budget.organization, budget.monthly_usd, budget.stops) == (acme, Decimal(500), False)
    Budget.objects.update(stops=True, exhausted_at=timezone.now(), warned_at=timezone.now())
    change = f"{ADMIN}/budget/{budget.pk}/change/"
    assert "$500.00" in page(staff, "budget/")
    other = Organization.objects.create(name="Other", slug="other")
    raised = {"organization": str(other.pk), "monthly_usd": "5000", "stops": "on"}
    assert staff.post(change, raised).status_code == 302
    budget.refresh_from_db()
    # What the service decides: there is room again.
    assert (budget.organization, budget.exhausted_at, budget.warned_at) == (acme, None, None)
    assert (budget.monthly_usd, budget.stops) == (Decimal(5000), True)
    assert staff.post(f"{ADMIN}/budget/{budget.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Budget.objects.exists()


@pytest.mark.parametrize("amount", ["0", "-1", "1000001", "", "0.001", "much"])
def test_an_amount_that_is_none_comes_back(staff: Client, acme: Organization, amount: str) -> None:
    form = {"organization": str(acme.pk), "monthly_usd": amount}
    assert staff.post(f"{ADMIN}/budget/add/", form).status_code == 200
    assert not Budget.objects.exists()


def orphan(**fields: Any) -> Orphan:
    defaults = {"provider": "local", "provider_id": uuid4(), "seen_at": timezone.now()}
    return Orphan.objects.create(**defaults | fields)


def test_an_orphan_is_removed_through_its_provider(staff: Client, fake_supervisor: FakeSupervisor) -> None:
    found = orphan()
    assert "Running" in page(staff, "orphan/")
    assert f"Removed local {found.provider_id}." in act(staff, f"{ADMIN}/orphan/", "remove_now", found)
    found.refresh_from_db()
    assert found.removed_at is not None
    assert ("DELETE", found.provider_id) in fake_supervisor.asked
    assert staff.post(f"{ADMIN}/orphan/{found.pk}/delete/", {"post": "yes"}).status_code == 403


def test_what_is_a_deployment_after_all_is_not_removed(
    staff: Client, fake_supervisor: FakeSupervisor
) -> None:
    made = deployment(state=State.READY)
    ours, theirs = orphan(provider_id=made.pk), orphan()
    shown = act(staff, f"{ADMIN}/orphan/", "remove_now", ours, theirs)
    assert "There is a deployment of that id here." in shown
    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert (ours.removed_at, theirs.removed_at is None) == (None, False)
    assert fake_supervisor.asked == [("DELETE", theirs.provider_id)]


def test_a_provider_that_is_away_says_so_and_the_orphan_stays(staff: Client, var_dir: Any) -> None:
    found = orphan()
    assert f"Removed {found}." not in act(staff, f"{ADMIN}/orphan/", "remove_now", found)
    found.refresh_from_db()
    assert found.removed_at is None


def test_who_may_only_look_removes_nothing(staff: Client, fake_supervisor: FakeSupervisor) -> None:
    from django.contrib.auth.models import Permission

    clerk = User.objects.create_user("clerk@example.com", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_orphan"))
    found = orphan()
    act(signed_in(clerk), f"{ADMIN}/orphan/", "remove_now", found)
    found.refresh_from_db()
    assert found.removed_at is None


def test_a_key_is_set_rotated_and_never_shown(staff: Client, settings: Any) -> None:
    settings.VERDA_INFERENCE_KEY = "of-the-environment"
    assert inference_key("verda") == "of-the-environment"
    add = f"{ADMIN}/providerkey/add/"
    assert staff.post(add, {"provider": "verda", "new_key": KEY}).status_code == 302
    kept = ProviderKey.objects.get()
    assert inference_key("verda") == KEY
    change = f"{ADMIN}/providerkey/{kept.pk}/change/"
    assert staff.post(change, {"new_key": ""}).status_code == 302
    assert inference_key("verda") == KEY
    assert staff.post(change, {"new_key": f"{KEY}-2", "provider": "local"}).status_code == 302
    assert (inference_key("verda"), ProviderKey.objects.get().pk) == (f"{KEY}-2", kept.pk)
    for path in ("", f"{kept.pk}/change/", f"{kept.pk}/history/"):
        shown = page(staff, f"providerkey/{path}")
        assert KEY not in shown
    assert not any(
        KEY in str(entry.get_change_message()) + entry.object_repr for entry in LogEntry.objects.all()
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT inference_key FROM deployments_providerkey")
        assert KEY not in str(cursor.fetchall())


def test_there_is_one_key_for_each_provider_that_asks_for_one(staff: Client) -> None:
    add = f"{ADMIN}/providerkey/add/"
    for wrong in ({"new_key": ""}, {"new_key": "two words"}, {"new_key": "x" * 513}, {"provider": "local"}):
        response = staff.post(add, {"provider": "verda", "new_key": KEY} | wrong)
        assert response.status_code == 200
        assert KEY not in response.content.decode()
    assert not ProviderKey.objects.exists()
    staff.post(add, {"provider": "verda", "new_key": KEY})
    again = staff.post(add, {"provider": "verda", "new_key": f"{KEY}-2"})
    assert again.status_code == 200
    assert "already exists" in again.content.decode()
    assert inference_key("verda") == KEY
    assert staff.post(f"{ADMIN}/providerkey/{ProviderKey.objects.get().pk}/delete/").status_code == 403
