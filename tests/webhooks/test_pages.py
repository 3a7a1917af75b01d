"""Webhooks in the console, and who may what: alice owns acme, bob is a member, charlie an outsider."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.webhooks import health, recovery, services
from apps.webhooks.models import Attempt, Delivery, Endpoint, EndpointSecret, Event
from apps.webhooks.services import create_endpoint
from tests.cast import signed_in
from tests.webhooks.pages import NEW, TABS, endpoint, issued, log_of, page, sent

__all__ = ["endpoint", "issued"]


def test_without_endpoints_the_list_teaches_the_first_one(alice: User, bob: User, acme: Organization) -> None:
    html = page(signed_in(alice), "/webhooks")
    assert "No endpoints yet" in html
    assert 'href="/webhooks/new"' in html
    html = page(signed_in(bob), "/webhooks")
    assert "An owner or an admin of Acme can add one." in html
    assert 'href="/webhooks/new"' not in html


def test_the_list_tells_how_each_endpoint_does(alice: User, acme: Organization, endpoint: Endpoint) -> None:
    for _ in range(3):
        sent(endpoint)
    sent(endpoint, outcome="failed", status=500, problem="status")
    recovery.send_test(endpoint, "job.failed")
    failing = create_endpoint(organization=acme, url="https://b.example.com/", created_by=alice).endpoint
    Endpoint.objects.filter(pk=failing.pk).update(failing_since=timezone.now() - timedelta(hours=2))
    gone = create_endpoint(
        organization=acme, url="https://c.example.com/", created_by=alice, events=["deployment.*"]
    ).endpoint
    health.disable(gone, because=Endpoint.Disabled.GONE)
    html = page(signed_in(alice), "/webhooks")
    assert "75\u202f% delivered" in html
    assert "3 delivered, 1 failed, 2 waiting" in html
    assert "2 hours ago" in html
    assert "It answered 410 Gone" in html
    assert "deployment.*" in html
    assert "3 of at most 20 endpoints" in html


def test_queries_do_not_grow_with_endpoints_or_deliveries(
    alice: User, acme: Organization, endpoint: Endpoint, django_assert_num_queries: Callable[[int], Any]
) -> None:
    client = signed_in(alice)
    for number in range(12):
        create_endpoint(organization=acme, url=f"https://example.com/{number}", created_by=alice)
    for _ in range(30):
        sent(endpoint)
    with django_assert_num_queries(5):
        html = page(client, "/webhooks")
    assert html.count('<th scope="row">') == 13
    with django_assert_num_queries(7):
        html = page(client, f"/webhooks/{endpoint.pk}")
    assert len(log_of(html)) == 25
    assert "1–25 of 30 deliveries" in html
    assert len(log_of(page(client, f"/webhooks/{endpoint.pk}", page="2"))) == 5


# ---- who may what ------------------------------------------------------------------------------------
def actions(endpoint: Endpoint, delivery: Delivery) -> dict[str, dict[str, Any]]:
    """Every form, and what it is sent with."""
    at = f"/webhooks/{endpoint.pk}"
    return {
        "/webhooks/new": NEW,
        f"{at}/edit": NEW,
        f"{at}/rotate": {"overlap_seconds": 0},
        f"{at}/delete": {"name": "Production"},
        f"{at}/test": {"type": "job.completed"},
        f"{at}/recover": {"since": "2026-01-01T00:00"},
        f"{at}/enable": {},
        f"{at}/disable": {},
        f"/webhooks/deliveries/{delivery.pk}/resend": {},
        f"/webhooks/deliveries/{delivery.pk}/cancel": {},
    }


def state_of_all() -> list[Any]:
    models: tuple[Any, ...] = (Endpoint, EndpointSecret, Event, Delivery, Attempt)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_a_member_sees_all_and_changes_nothing(bob: User, endpoint: Endpoint) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    client = signed_in(bob)
    for path in ("/webhooks", f"/webhooks/{endpoint.pk}", f"/webhooks/deliveries/{delivery.pk}"):
        assert 'method="post" action="/webhooks' not in page(client, path)
    html = page(client, f"/webhooks/{endpoint.pk}", tab="settings")
    assert "authorization: •••" in html
    assert "/edit" not in html
    for tab in ("test", "recover", "secret"):
        assert "No delivery" not in page(client, f"/webhooks/{endpoint.pk}", tab=tab)
        assert log_of(page(client, f"/webhooks/{endpoint.pk}", tab=tab)) == ["job.completed"]
    before = state_of_all()
    for path, form in actions(endpoint, delivery).items():
        assert client.post(path, form).status_code == 403, path
    assert state_of_all() == before


def test_another_organizations_webhooks_are_not_there(
    charlie: User, globex: Organization, endpoint: Endpoint
) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    client = signed_in(charlie)
    assert "hooks.example.com" not in page(client, "/webhooks")
    before = state_of_all()
    for path in (f"/webhooks/{endpoint.pk}", f"/webhooks/deliveries/{delivery.pk}"):
        assert client.get(path).status_code == 404
    for path, form in actions(endpoint, delivery).items():
        if path != "/webhooks/new":
            assert client.post(path, form).status_code == 404, path
    assert state_of_all() == before


def test_who_is_not_signed_in_is_sent_to_sign_in(endpoint: Endpoint) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    for path in ("/webhooks", f"/webhooks/{endpoint.pk}", *actions(endpoint, delivery)):
        assert Client().get(path).status_code in {302, 405}, path


def test_what_was_deleted_is_not_there(alice: User, endpoint: Endpoint) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    services.delete_endpoint(endpoint=endpoint)
    client = signed_in(alice)
    for path in (f"/webhooks/{endpoint.pk}", f"/webhooks/deliveries/{delivery.pk}"):
        assert client.get(path).status_code == 404
    for path, form in actions(endpoint, delivery).items():
        if path != "/webhooks/new":
            assert client.post(path, form).status_code == 404, path


def test_actions_are_posts(alice: User, endpoint: Endpoint) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    client = signed_in(alice)
    for verb in ("enable", "disable"):
        assert client.get(f"/webhooks/{endpoint.pk}/{verb}").status_code == 405
    for verb in ("resend", "cancel"):
        assert client.get(f"/webhooks/deliveries/{delivery.pk}/{verb}").status_code == 405
    for tab, name in (("test", "test"), ("recover", "recover"), ("secret", "rotate")):
        answer = client.get(f"/webhooks/{endpoint.pk}/{name}")
        assert answer.headers["Location"] == f"/webhooks/{endpoint.pk}?tab={tab}"


def test_forms_are_guarded_against_other_sites(alice: User, endpoint: Endpoint) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    client = signed_in(alice, enforce_csrf_checks=True)
    for path, form in actions(endpoint, delivery).items():
        assert client.post(path, form).status_code == 403, path


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_has_one_title_and_ids_once(alice: User, endpoint: Endpoint, tab: str) -> None:
    sent(endpoint)
    response = signed_in(alice).get(f"/webhooks/{endpoint.pk}", {"tab": tab})
    html = response.content.decode()
    assert html.count("<h1") == 1
    identifiers = re.findall(r'\sid="([^"]+)"', html)
    assert len(identifiers) == len(set(identifiers))
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"", html)
    assert f'aria-current="page">{tab.capitalize()}<' in html
