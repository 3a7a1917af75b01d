"""Endpoints in the console: added, changed, rotated, tried, recovered, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from apps.accounts.models import Organization, User
from apps.webhooks import health, outbox, services
from apps.webhooks.models import Delivery, Endpoint, EndpointSecret
from apps.webhooks.services import IssuedSecret, create_endpoint
from tests.cast import signed_in
from tests.webhooks.pages import NEW, TABS, endpoint, issued, page, secret_in, sent

__all__ = ["endpoint", "issued"]


def test_a_new_endpoints_secret_is_shown_once(alice: User, acme: Organization) -> None:
    client = signed_in(alice)
    response = client.post("/webhooks/new", {**NEW, "headers": "X-Route: blue\r\nauthorization: Bearer a:b"})
    html = response.content.decode()
    assert "no-store" in response["Cache-Control"]
    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.events, endpoint.created_by) == (NEW["url"], [], alice)
    assert endpoint.own_headers == {"x-route": "blue", "authorization": "Bearer a:b"}
    secret = secret_in(html)
    assert EndpointSecret.objects.get().secret == secret
    assert Webhook(secret)
    assert f'data-replace-address="/webhooks/{endpoint.pk}"' in html
    for language in ("python", "javascript", "curl"):
        assert f'id="verify-code-tab-{language}"' in html
    for tab in TABS:
        html = page(client, f"/webhooks/{endpoint.pk}", tab=tab)
        assert secret not in html
        assert "Bearer a:b" not in html
    assert secret not in page(client, "/webhooks")
    assert "Bearer a:b" not in page(client, f"/webhooks/{endpoint.pk}/edit")


def test_events_are_chosen_by_group_and_one_by_one(alice: User, acme: Organization) -> None:
    chosen = ["deployment.*", "deployment.ready", "key.created"]
    answer = signed_in(alice).post("/webhooks/new", {**NEW, "which": "some", "chosen": chosen})
    assert answer.status_code == 200
    assert sorted(Endpoint.objects.get().events) == ["deployment.*", "key.created"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": ""}, "This field is required."),
        ({"url": "ftp://example.com"}, "must start with https://"),
        ({"url": "https://127.0.0.1/hook"}, "URL"),
        ({"url": "https://user:pass@example.com/"}, "no user name or password"),
        ({"description": "x" * 201}, "at most 200 characters"),
        ({"which": "none"}, "Select a valid choice."),
        ({"which": "some"}, "Choose at least one, or every event."),
        ({"which": "some", "chosen": ["no.such"]}, "Select a valid choice."),
        ({"headers": "no colon here"}, "Write each header as Name: value"),
        ({"headers": "X-A: 1\nx-a: 2"}, "The header x-a is there twice."),
        ({"headers": "Webhook-Id: mine"}, "The header webhook-id is set by the platform."),
        ({"headers": "Host: example.com"}, "The header host is set by the platform."),
        ({"headers": "X-Empty:"}, "The header x-empty needs a value"),
        ({"rate_limit_per_minute": "0"}, "greater than or equal to 1"),
        ({"rate_limit_per_minute": "many"}, "Enter a whole number."),
    ],
)
def test_an_endpoint_that_cannot_be_made_says_why_and_keeps_the_rest(
    alice: User, acme: Organization, change: dict[str, Any], said: str
) -> None:
    response = signed_in(alice).post("/webhooks/new", {**NEW, **change})
    html = response.content.decode()
    assert response.status_code == 400
    assert said in html
    assert 'role="alert"' in html
    assert not Endpoint.objects.exists()
    assert "description" in change or 'value="Production"' in html
    if change.keys() & {"headers", "rate_limit_per_minute"}:
        assert '<details class="form-more" open>' in html


def test_the_twenty_first_endpoint_is_refused_on_the_form(alice: User, acme: Organization) -> None:
    for number in range(20):
        create_endpoint(organization=acme, url=f"https://example.com/{number}", created_by=alice)
    response = signed_in(alice).post("/webhooks/new", NEW)
    assert response.status_code == 400
    assert "Delete one first." in response.content.decode()


def test_what_is_changed_and_what_stays(alice: User, endpoint: Endpoint) -> None:
    services.change_endpoint(
        endpoint=endpoint, headers={"authorization": "Bearer 1", "x-old": "2", "x-gone": "3"}
    )
    client = signed_in(alice)
    path = f"/webhooks/{endpoint.pk}/edit"
    html = page(client, path)
    assert 'value="https://hooks.example.com/voice"' in html
    assert all(f"<code>{name}</code>" in html for name in ("authorization", "x-old", "x-gone"))
    assert "Bearer 1" not in html
    response = client.post(
        path,
        {
            "url": "https://hooks.example.com/new",
            "description": "",
            "which": "some",
            "chosen": ["job.*"],
            "kept": ["authorization", "x-old"],
            "headers": "X-Old: 22",
            "rate_limit_per_minute": "120",
        },
        follow=True,
    )
    html = response.content.decode()
    assert "Saved." in html
    assert "120 requests a minute" in html
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.description, endpoint.events) == (
        "https://hooks.example.com/new",
        "",
        ["job.*"],
    )
    assert endpoint.own_headers == {"authorization": "Bearer 1", "x-old": "22"}
    assert endpoint.rate_limit_per_minute == 120
    again = {**NEW, "kept": ["authorization", "x-old"]}
    assert client.post(path, again).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.events, endpoint.rate_limit_per_minute) == ([], None)
    assert endpoint.own_headers == {"authorization": "Bearer 1", "x-old": "22"}


def test_headers_do_not_follow_to_another_host(alice: User, endpoint: Endpoint) -> None:
    client = signed_in(alice)
    path = f"/webhooks/{endpoint.pk}/edit"
    moved = {**NEW, "url": "https://elsewhere.example.net/"}
    response = client.post(path, {**moved, "kept": ["authorization"]})
    assert response.status_code == 400
    assert "The endpoint moves to another host" in response.content.decode()
    assert client.post(path, {**moved, "headers": "X-New: 1"}).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.own_headers == {"x-new": "1"}


def test_a_mistake_changes_nothing(alice: User, endpoint: Endpoint) -> None:
    path = f"/webhooks/{endpoint.pk}/edit"
    for change in ({"url": "http://example.com"}, {"kept": ["x-never-there"]}, {"headers": "nonsense"}):
        response = signed_in(alice).post(path, {**NEW, "description": "Changed", **change})
        assert response.status_code == 400
        assert 'value="Changed"' in response.content.decode()
    endpoint.refresh_from_db()
    assert endpoint.description == "Production"
    assert endpoint.own_headers == {"authorization": "Bearer s3cret-of-theirs"}


def test_deleting_asks_for_the_name(alice: User, endpoint: Endpoint) -> None:
    client = signed_in(alice)
    path = f"/webhooks/{endpoint.pk}/delete"
    assert "This cannot be undone." in page(client, path)
    assert client.post(path, {"name": "production"}).status_code == 400
    assert "is deleted." in client.post(path, {"name": "Production"}, follow=True).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.deleted_at is not None
    assert not EndpointSecret.objects.exists()


# ---- what an endpoint's page does --------------------------------------------------------------------
def test_rotation_shows_the_new_secret_and_until_when_the_old_one_signs(
    alice: User, issued: IssuedSecret
) -> None:
    client = signed_in(alice)
    at = f"/webhooks/{issued.endpoint.pk}"
    response = client.post(f"{at}/rotate", {"overlap_seconds": 3600})
    assert "no-store" in response["Cache-Control"]
    html = response.content.decode()
    assert secret_in(html) != issued.secret
    assert "in 1 hour" in html
    html = page(client, at, tab="secret")
    assert "Previous" in html
    assert secret_in(response.content.decode()) not in html
    html = client.post(f"{at}/rotate", {"overlap_seconds": 0}).content.decode()
    assert "The old secret signs nothing any more." in html
    assert EndpointSecret.objects.get().secret == secret_in(html)
    answer = client.post(f"{at}/rotate", {"overlap_seconds": "-1"})
    assert answer.status_code == 400
    assert "Select a valid choice." in answer.content.decode()


def test_it_is_disabled_and_enabled(alice: User, endpoint: Endpoint) -> None:
    client = signed_in(alice)
    at = f"/webhooks/{endpoint.pk}"
    html = client.post(f"{at}/disable", follow=True).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.disabled_because == Endpoint.Disabled.BY_PERSON
    assert "Somebody of your organization disabled it." in html
    for path, form in (
        (f"{at}/test", {"type": "job.failed"}),
        (f"{at}/recover", {"since": "2026-01-01T00:00"}),
    ):
        answer = client.post(path, form)
        assert answer.status_code == 400
        assert "The endpoint is disabled. Enable it first." in answer.content.decode()
    assert "What waited for it goes out now." in client.post(f"{at}/enable", follow=True).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


@pytest.mark.parametrize(("because", "said"), [("failing", "for five days"), ("gone", "410 Gone")])
def test_why_the_platform_disabled_it_is_said(
    alice: User, endpoint: Endpoint, because: str, said: str
) -> None:
    health.disable(endpoint, because=Endpoint.Disabled(because))
    assert said in page(signed_in(alice), f"/webhooks/{endpoint.pk}")


def test_a_test_event_leads_to_its_delivery(alice: User, endpoint: Endpoint) -> None:
    client = signed_in(alice)
    html = client.post(
        f"/webhooks/{endpoint.pk}/test", {"type": "voice.created"}, follow=True
    ).content.decode()
    delivery = Delivery.objects.get()
    assert delivery.event.is_test
    assert delivery.event.message_id in html
    assert "&quot;type&quot;: &quot;voice.created&quot;" in html
    refused = client.post(f"/webhooks/{endpoint.pk}/test", {"type": "no.such"})
    assert refused.status_code == 400
    assert Delivery.objects.count() == 1


def test_recovering_what_failed_and_what_was_missed(alice: User, endpoint: Endpoint) -> None:
    client = signed_in(alice)
    at = f"/webhooks/{endpoint.pk}"
    failed = sent(endpoint, outcome="failed", status=500, problem="status")
    recent = timezone.now() - timedelta(hours=1)
    when = recent.strftime("%Y-%m-%dT%H:%M")
    html = client.post(f"{at}/recover", {"since": when}, follow=True).content.decode()
    assert "1 event is sent again." in html
    failed.refresh_from_db()
    assert failed.state == "pending"
    services.disable_endpoint(endpoint=endpoint)
    for _ in range(2):
        with transaction.atomic():
            outbox.emit("endpoint.disabled", organization_id=endpoint.organization_id, data={})
    services.enable_endpoint(endpoint=endpoint)
    assert "nothing to send" in client.post(f"{at}/recover", {"since": when}, follow=True).content.decode()
    form = {"since": when, "include_missing": "on"}
    assert "2 events are sent again." in client.post(f"{at}/recover", form, follow=True).content.decode()
    assert Delivery.objects.filter(state="pending").count() == 3


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("", 400),
        ("yesterday", 400),
        ("2999-01-01T00:00", 400),
        ("0001-01-01T00:00", 302),
        ("9999-12-31T23:59", 400),
    ],
)
def test_since_when_it_is_recovered(alice: User, endpoint: Endpoint, since: str, status: int) -> None:
    form = {"since": since, "include_missing": "on"}
    answer = signed_in(alice).post(f"/webhooks/{endpoint.pk}/recover", form)
    assert answer.status_code == status


def test_recovery_begins_when_it_began_to_fail(alice: User, endpoint: Endpoint) -> None:
    began = datetime(2026, 3, 4, 5, 6, 59, tzinfo=UTC)
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=began)
    assert 'value="2026-03-04T05:06"' in page(signed_in(alice), f"/webhooks/{endpoint.pk}", tab="recover")
