"""Webhooks in admin: how endpoints do, what staff do about it, and what they never see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.console import dashboard
from apps.core.ids import uuid7, uuid7_floor
from apps.webhooks import health, measures, recovery, services
from apps.webhooks.models import Attempt, Delivery, Endpoint
from apps.webhooks.services import IssuedSecret, create_endpoint
from tests.admin.act import act
from tests.cast import signed_in

ENDPOINTS = "/admin/webhooks/endpoint/"
DELIVERIES = "/admin/webhooks/delivery/"
HOSTILE = "</pre><script>alert(1)</script>"


@pytest.fixture
def issued(acme: Organization, alice: User) -> IssuedSecret:
    return create_endpoint(
        organization=acme,
        url="https://hooks.example.com/voice",
        description="Production",
        created_by=alice,
        headers={"authorization": "Bearer s3cret-of-theirs"},
    )


@pytest.fixture
def endpoint(issued: IssuedSecret) -> Endpoint:
    return issued.endpoint


def failed(endpoint: Endpoint, **ago: float) -> Delivery:
    """One whose event happened so long ago."""
    delivery = recovery.send_test(endpoint, "job.completed")
    moved = uuid7_floor(timezone.now() - timedelta(**ago)).int >> 80 << 80 | delivery.pk.int & (1 << 80) - 1
    made = type(delivery.pk)(int=moved)
    Delivery.objects.filter(pk=delivery.pk).update(id=made, state="failed", attempts=10, last_status=500)
    return Delivery.objects.get(pk=made)


def listed(staff: Client, url: str, **query: str) -> list[Any]:
    response = staff.get(url, query)
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


# ---- what is shown -----------------------------------------------------------------------------------
def test_no_page_shows_a_secret_or_a_headers_value(staff: Client, issued: IssuedSecret) -> None:
    recovery.send_test(issued.endpoint, "job.completed")
    pages = [ENDPOINTS, f"{ENDPOINTS}{issued.endpoint.pk}/change/", DELIVERIES]
    pages += [f"{DELIVERIES}{delivery.pk}/change/" for delivery in Delivery.objects.all()]
    for page in pages:
        shown = staff.get(page).content.decode()
        assert "Production" in shown
        assert issued.secret not in shown
        assert "s3cret-of-theirs" not in shown
    assert "authorization" in staff.get(pages[1]).content.decode()


def test_the_list_tells_how_each_does(staff: Client, acme: Organization, endpoint: Endpoint) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    Delivery.objects.filter(pk=delivery.pk).update(state="delivered")
    failed(endpoint, hours=1)
    old = recovery.send_test(endpoint, "job.completed")
    Delivery.objects.filter(pk=old.pk).update(id=uuid7_floor(timezone.now() - timedelta(hours=3)))
    recovery.send_test(endpoint, "job.completed")
    [row] = staff.get(ENDPOINTS).context["cl"].result_list
    assert (row.tally.delivered, row.tally.failed, row.tally.waiting) == (1, 1, 2)
    assert timedelta(hours=2.9) < timezone.now() - row.waits_since < timedelta(hours=3.1)
    shown = staff.get(ENDPOINTS).content.decode()
    assert "1 / 1 / 2" in shown
    assert "3\u00a0hours" in shown


def test_queries_do_not_grow_with_endpoints(staff: Client, acme: Organization, endpoint: Endpoint) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            listed(staff, ENDPOINTS)
        return len(queries)

    count()
    before = count()
    for number in range(10):
        made = create_endpoint(organization=acme, url=f"https://example.com/{number}", created_by=None)
        recovery.send_test(made.endpoint, "job.completed")
    assert count() == before


def test_finding_by_state_reason_and_words(
    staff: Client, acme: Organization, globex: Organization, endpoint: Endpoint
) -> None:
    def make(name: str) -> Endpoint:
        url = f"https://{name}.example.org/"
        return create_endpoint(organization=globex, url=url, created_by=None).endpoint

    failing, disabled, deleted = make("failing"), make("disabled"), make("deleted")
    Endpoint.objects.filter(pk=failing.pk).update(failing_since=timezone.now())
    health.disable(disabled, because=Endpoint.Disabled.GONE)
    services.delete_endpoint(endpoint=deleted)
    assert listed(staff, ENDPOINTS, state="enabled") == [endpoint.pk]
    assert listed(staff, ENDPOINTS, state="failing") == [failing.pk]
    assert listed(staff, ENDPOINTS, state="disabled") == [disabled.pk]
    assert listed(staff, ENDPOINTS, state="deleted") == [deleted.pk]
    assert len(listed(staff, ENDPOINTS, state="nonsense")) == 4
    assert listed(staff, ENDPOINTS, disabled_because__exact="gone") == [disabled.pk]
    assert listed(staff, ENDPOINTS, organization__id__exact=str(acme.pk)) == [endpoint.pk]
    assert listed(staff, ENDPOINTS, q="hooks.example") == [endpoint.pk]
    assert listed(staff, ENDPOINTS, q="globex") == [deleted.pk, disabled.pk, failing.pk]


def test_a_delivery_shows_what_was_answered_as_text(staff: Client, endpoint: Endpoint) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    Attempt.objects.create(
        delivery_id=delivery.pk,
        number=1,
        outcome="failed",
        status=500,
        duration_ms=84,
        problem_words=HOSTILE,
        request_headers={"authorization": "•••"},
        response_headers={"x-<b>": HOSTILE},
        response_body=HOSTILE,
        is_cut=True,
    )
    shown = staff.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()
    assert "<script>alert" not in shown
    assert "<b>" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
    assert "The rest of the answer was not kept." in shown
    assert delivery.event.message_id in shown


def test_the_log_is_of_a_week_and_found_by_ids(staff: Client, acme: Organization, endpoint: Endpoint) -> None:
    recent, old = failed(endpoint, days=1), failed(endpoint, days=8)
    other = create_endpoint(organization=acme, url="https://b.example.com/", created_by=None).endpoint
    newest = recovery.send_test(other, "voice.created")
    assert listed(staff, DELIVERIES) == [newest.pk, recent.pk]
    assert listed(staff, DELIVERIES, q=str(old.pk)) == [old.pk]
    assert listed(staff, DELIVERIES, q=old.event.message_id) == [old.pk]
    assert listed(staff, DELIVERIES, q="voice.created") == [newest.pk]
    assert listed(staff, DELIVERIES, q="nothing like it") == []
    assert listed(staff, DELIVERIES, state__exact="failed") == [recent.pk]
    assert listed(staff, DELIVERIES, endpoint__id__exact=str(other.pk)) == [newest.pk]
    link = f"{DELIVERIES}?endpoint__id__exact={endpoint.pk}"
    assert f'href="{link}"' in staff.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()


@pytest.mark.parametrize("model", ["endpoint", "delivery"])
def test_nothing_is_made_changed_or_deleted_by_hand(staff: Client, endpoint: Endpoint, model: str) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    row = {"endpoint": endpoint, "delivery": delivery}[model]
    at = f"/admin/webhooks/{model}/"
    assert staff.get(f"{at}add/").status_code == 403
    assert staff.post(f"{at}{row.pk}/change/", {"url": "https://evil.example/"}).status_code == 403
    assert staff.post(f"{at}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    staff.post(at, {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"})
    assert type(row).objects.filter(pk=row.pk).exists()


# ---- what is done ------------------------------------------------------------------------------------
def test_disabling_and_enabling(staff: Client, endpoint: Endpoint) -> None:
    assert "Production: Disabled." in act(staff, ENDPOINTS, "disable", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.disabled_because == Endpoint.Disabled.BY_STAFF
    assert LogEntry.objects.filter(object_id=endpoint.pk).count() == 1
    assert "Production: Enabled." in act(staff, ENDPOINTS, "enable", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


@pytest.mark.parametrize(("action", "count"), [("recover_day", 1), ("recover_days", 2)])
def test_recovering_what_failed(staff: Client, endpoint: Endpoint, action: str, count: int) -> None:
    for days in (0.5, 4.5, 5.5):
        failed(endpoint, days=days)
    assert f"Production: {count} sent again." in act(staff, ENDPOINTS, action, endpoint)
    assert Delivery.objects.filter(state="pending").count() == count


def test_what_cannot_be_done_is_said_and_holds_no_other_back(
    staff: Client, acme: Organization, endpoint: Endpoint
) -> None:
    other = create_endpoint(organization=acme, url="https://b.example.com/", created_by=None).endpoint
    failed(endpoint, hours=1)
    services.disable_endpoint(endpoint=other)
    shown = act(staff, ENDPOINTS, "recover_day", endpoint, other)
    assert "b.example.com: The endpoint is disabled." in shown
    assert "Production: 1 sent again." in shown
    services.delete_endpoint(endpoint=other)
    assert "There is no such endpoint." in act(staff, ENDPOINTS, "enable", other)


def test_deliveries_are_sent_again_and_cancelled(staff: Client, endpoint: Endpoint) -> None:
    one, two = failed(endpoint, hours=1), failed(endpoint, hours=2)
    assert "2 sent again." in act(staff, DELIVERIES, "resend", one, two)
    assert set(Delivery.objects.values_list("state", "tries")) == {("pending", 0)}
    Delivery.objects.filter(pk=two.pk).update(state="sending", attempt_id=uuid7())
    shown = act(staff, DELIVERIES, "resend", one, two)
    assert "It is being sent right now." in shown
    assert "1 sent again." in shown
    assert "2 cancelled." in act(staff, DELIVERIES, "cancel", one, two)
    assert "It does not wait to be sent." in act(staff, DELIVERIES, "cancel", one)


def test_who_may_only_look_does_nothing(endpoint: Endpoint) -> None:
    delivery = failed(endpoint, hours=1)
    viewer = User.objects.create_user("viewer@staff.example", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_endpoint", "view_delivery"]))
    client = signed_in(viewer)
    for action in ("disable", "enable", "recover_day", "recover_days"):
        act(client, ENDPOINTS, action, endpoint)
    for action in ("resend", "cancel"):
        act(client, DELIVERIES, action, delivery)
    endpoint.refresh_from_db()
    delivery.refresh_from_db()
    assert (endpoint.disabled_at, delivery.state) == (None, "failed")


def test_who_may_nothing_sees_nothing(clerk: Client, alice: User, endpoint: Endpoint) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    pages = (ENDPOINTS, f"{ENDPOINTS}{endpoint.pk}/change/", DELIVERIES, f"{DELIVERIES}{delivery.pk}/change/")
    for page in pages:
        assert clerk.get(page).status_code == 403
        assert signed_in(alice).get(page).status_code == 302


# ---- the dashboard -----------------------------------------------------------------------------------
def test_the_dashboard_tells_of_webhooks(staff: Client, acme: Organization, endpoint: Endpoint) -> None:
    assert "nothing waits" in staff.get("/admin/numbers").content.decode()
    before = dashboard.numbers().webhooks
    measures.count("delivered")
    measures.count("failed")
    delivery = recovery.send_test(endpoint, "job.completed")
    Delivery.objects.filter(pk=delivery.pk).update(id=uuid7_floor(timezone.now() - timedelta(minutes=4)))
    found = dashboard.numbers().webhooks
    assert (found.delivered, found.failed) == ((before.delivered or 0) + 1, (before.failed or 0) + 1)
    assert 239 < found.oldest_seconds < 300
    assert found.is_late
    assert ">late<" in staff.get("/admin/numbers").content.decode()
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=timezone.now())
    shown = staff.get("/admin/numbers").content.decode()
    assert "1 failing" in shown
    assert "oldest waits 4\u202fmin" in shown
    assert not dashboard.numbers().webhooks.is_late


def test_without_redis_attempts_are_not_known(staff: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert "attempts not known" in staff.get("/admin/numbers").content.decode()
