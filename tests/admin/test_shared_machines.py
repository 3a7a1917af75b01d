"""What shared deployments cost, for staff."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.accounts.services import create_organization
from apps.deployments import costs
from apps.deployments.models import Deployment, Run
from tests.cast import signed_in
from tests.usage.rows import record

PAGE = "/admin/shared-machines/"


def shared(name: str = "shared-cpu") -> Deployment:
    """Ran for an hour of this month, for two dollars."""
    deployment = Deployment.objects.create(name=name, engine="cpu")
    since = costs.month_of(timezone.now())
    Run.objects.create(
        deployment=deployment,
        replica=f"{name}-r1",
        price_per_hour=Decimal(2),
        started_at=since - timedelta(minutes=30),
        ended_at=since + timedelta(hours=1),
    )
    return deployment


def test_without_costs_it_says_so(staff: Client) -> None:
    assert "No shared deployment has cost anything" in staff.get(PAGE).content.decode()


def test_who_had_it_spent_and_what_was_idle(staff: Client, acme: Organization) -> None:
    deployment = shared()
    since = costs.month_of(timezone.now())
    record(acme, at=since + timedelta(minutes=5), deployment=deployment, engine_ms=900_000)
    html = staff.get(PAGE).content.decode()
    for told in ("shared-cpu", acme.name, "$0.50", "25\u202f%", "$1.50", "75\u202f%", "$2.00"):
        assert told in html
    assert f'href="{PAGE}"' in staff.get("/admin/").content.decode()


def test_queries_do_not_grow(staff: Client, acme: Organization, django_assert_max_num_queries: Any) -> None:
    def spend(number: int) -> None:
        other = create_organization(
            name=f"O {number}", owner=User.objects.create_user(f"o{number}@x.example")
        )
        at = costs.month_of(timezone.now()) + timedelta(minutes=5)
        record(other, at=at, deployment=shared(f"shared-{number}"), engine_ms=1000)

    spend(0)
    with django_assert_max_num_queries(20) as few:
        staff.get(PAGE)
    for number in range(1, 5):
        spend(number)
    with django_assert_max_num_queries(len(few)):
        staff.get(PAGE)


def test_only_who_may_see_requests(acme: Organization) -> None:
    clerk = User.objects.create_user("clerk@example.com", is_staff=True)
    assert signed_in(clerk).get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302
