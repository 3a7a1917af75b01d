"""Requests, speech processes and limits in admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Organization
from apps.usage.limits import read_policy
from apps.usage.models import OrganizationLimits, UsageRecord
from tests.usage.rows import process, record

REQUESTS = "/admin/usage/usagerecord/"
LIMITS = "/admin/usage/organizationlimits/"
PROCESSES = "/admin/usage/speechprocess/"


def listed(staff: Client, **query: str) -> list[Any]:
    response = staff.get(REQUESTS, query)
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


def test_the_list_is_newest_first_and_of_the_last_week(staff: Client, acme: Organization) -> None:
    now = timezone.now()
    older = record(acme, at=now - timedelta(days=6))
    newer = record(acme)
    ancient = record(acme, at=now - timedelta(days=8))
    assert listed(staff) == [newer.pk, older.pk]
    assert listed(staff, q=ancient.request_id) == [ancient.pk]


def test_from_and_to(staff: Client, acme: Organization) -> None:
    now = timezone.now()
    record(acme)
    wanted = record(acme, at=now - timedelta(days=20))
    day = f"{now - timedelta(days=20):%Y-%m-%d}"
    assert listed(staff, started_from_0=day, started_to_0=day) == [wanted.pk]
    exact = f"{wanted.started_at:%H:%M:%S}"
    bounds = {"started_from_0": day, "started_from_1": exact, "started_to_0": day, "started_to_1": exact}
    assert listed(staff, **bounds) == [wanted.pk]
    assert len(listed(staff, started_from_0="no day")) == 1


def test_a_request_is_found_by_its_whole_id_only(staff: Client, acme: Organization) -> None:
    wanted = record(acme)
    record(acme)
    assert listed(staff, q=f" {wanted.request_id} ") == [wanted.pk]
    assert listed(staff, q=wanted.request_id[:-1]) == []


def test_the_list_counts_nothing_and_asks_once_whatever_its_length(staff: Client, acme: Organization) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            listed(staff)
        return [query["sql"] for query in captured if "usage_usagerecord" in query["sql"]]

    record(acme)
    few = queries()
    for _ in range(10):
        record(acme)
    many = queries()
    assert len(few) == len(many) == 1
    assert "COUNT(" not in many[0]


def test_a_request_is_never_written_here(staff: Client, acme: Organization) -> None:
    written = record(acme)
    assert staff.get(f"{REQUESTS}add/").status_code == 403
    assert staff.post(f"{REQUESTS}{written.pk}/change/", {"state": "ok"}).status_code == 403
    assert UsageRecord.objects.get(pk=written.pk).state == written.state


def test_processes_show_who_is_silent(staff: Client, acme: Organization) -> None:
    alive, silent = process(hostname="here"), process(hostname="there", silent_for=timedelta(minutes=2))
    record(acme, state="open", owner_id=alive.id)
    page = staff.get(PROCESSES)
    life = {row.pk: page.context["cl"].model_admin.shown_life(row) for row in page.context["cl"].result_list}
    # The server of other tests may beat in this database, too.
    assert life | {alive.pk: "Alive", silent.pk: "Silent"} == life
    assert page.context["cl"].model_admin.open_requests(alive) == 1


def test_limits_hold_at_once(staff: Client, acme: Organization) -> None:
    before = acme.policy_version
    form = {"organization": str(acme.pk), "requests_per_minute": "7", "characters_per_request": "100"}
    assert staff.post(f"{LIMITS}add/", form).status_code == 302
    acme.refresh_from_db()
    assert acme.policy_version > before
    assert read_policy(acme.pk).live.requests_per_minute == 7

    row = OrganizationLimits.objects.get()
    assert staff.post(f"{LIMITS}{row.pk}/change/", {"requests_per_minute": ""}).status_code == 302
    assert read_policy(acme.pk).live.requests_per_minute == 600
    assert read_policy(acme.pk).live.characters_per_request == 5000


def test_limits_beyond_the_wire_are_refused(staff: Client, acme: Organization) -> None:
    form = {"organization": str(acme.pk), "characters_per_request": "10001"}
    assert staff.post(f"{LIMITS}add/", form).status_code == 200
    assert not OrganizationLimits.objects.exists()
