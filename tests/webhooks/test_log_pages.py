"""The log of an endpoint in the console, and the page of one delivery."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.core.ids import uuid7, uuid7_floor
from apps.webhooks import recovery, services
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event
from apps.webhooks.services import create_endpoint
from tests.cast import signed_in
from tests.webhooks.pages import HOSTILE, endpoint, issued, log_of, page, sent

__all__ = ["endpoint", "issued"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, ["key.created", "job.failed", "job.completed"]),
        ({"state": "failed"}, ["job.failed"]),
        ({"event": "job.*"}, ["job.failed", "job.completed"]),
        ({"event": "key.created"}, ["key.created"]),
        ({"event": "voice.*"}, []),
        ({"start": "2020-01-01", "end": "2999-01-01"}, ["key.created", "job.failed", "job.completed"]),
        ({"end": "2020-01-01"}, []),
        ({"state": "nonsense", "event": "x' or 1", "start": "32", "end": "9999-12-31", "page": "x"}, None),
    ],
)
def test_the_url_filters_the_log(
    alice: User, endpoint: Endpoint, query: dict[str, str], shown: list[str] | None
) -> None:
    sent(endpoint)
    sent(endpoint, "job.failed", outcome="failed", status=None, problem="timeout")
    sent(endpoint, "key.created")
    html = page(signed_in(alice), f"/webhooks/{endpoint.pk}", **query)
    assert log_of(html) == (["key.created", "job.failed", "job.completed"] if shown is None else shown)
    if shown == []:
        assert "No delivery matches" in html
    if shown is not None and "job.failed" in shown:
        assert "No answer in time" in html


def test_a_day_of_the_log_is_one_of_utc(alice: User, endpoint: Endpoint) -> None:
    moment = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    event = recovery.send_test(endpoint, "job.completed").event
    Delivery.objects.update(id=uuid7_floor(moment))
    client, today = signed_in(alice), moment.date()
    assert log_of(page(client, f"/webhooks/{endpoint.pk}", start=str(today), end=str(today))) == [event.type]
    assert not log_of(page(client, f"/webhooks/{endpoint.pk}", end=str(today - timedelta(days=1))))


def test_the_newest_page_keeps_itself_fresh(alice: User, endpoint: Endpoint) -> None:
    for _ in range(26):
        sent(endpoint)
    client = signed_in(alice)
    assert 'id="webhook-log" data-refresh="2500"' in page(client, f"/webhooks/{endpoint.pk}")
    assert 'id="webhook-log" data-refresh' not in page(client, f"/webhooks/{endpoint.pk}", page="2")


def test_the_log_of_one_endpoint_is_its_own(alice: User, acme: Organization, endpoint: Endpoint) -> None:
    other = create_endpoint(organization=acme, url="https://other.example.com/", created_by=alice).endpoint
    sent(other, "key.revoked")
    assert "Nothing sent yet" in page(signed_in(alice), f"/webhooks/{endpoint.pk}")


# ---- one delivery ------------------------------------------------------------------------------------
def test_a_delivery_shows_each_attempt(alice: User, endpoint: Endpoint) -> None:
    delivery = sent(
        endpoint, outcome="failed", status=500, problem="status", problem_words="It answered 500."
    )
    Attempt.objects.create(
        id=uuid7(),
        delivery_id=delivery.pk,
        number=2,
        outcome="failed",
        problem="timeout",
        problem_words="There was no answer within 15 seconds.",
        duration_ms=15_001,
        next_attempt_at=timezone.now() + timedelta(hours=2, minutes=5),
    )
    html = page(signed_in(alice), f"/webhooks/deliveries/{delivery.pk}")
    assert html.index("Attempt 2") < html.index("Attempt 1")
    for said in (
        "It answered 500.",
        "no answer within 15 seconds",
        "15.0\u202fs",
        "84\u202fms",
        "in 2 hours",
        "nginx",
    ):
        assert said in html
    assert delivery.event.message_id in html


def test_what_a_receiver_says_is_text(alice: User, endpoint: Endpoint) -> None:
    delivery = sent(
        endpoint,
        response_body=HOSTILE * 30,
        response_headers={"x-<script>": HOSTILE, "set-cookie": '"><b>'},
        problem_words=HOSTILE,
        is_cut=True,
    )
    response = signed_in(alice).get(f"/webhooks/deliveries/{delivery.pk}")
    html = response.content.decode()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "the rest was not kept" in html
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"", html)
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_long_answers_are_folded(alice: User, endpoint: Endpoint) -> None:
    client = signed_in(alice)
    short, long = sent(endpoint, response_body="x" * 1000), sent(endpoint, response_body="x" * 1001)
    assert '<details class="hook-more" open>' in page(client, f"/webhooks/deliveries/{short.pk}")
    assert '<details class="hook-more" open>' not in page(client, f"/webhooks/deliveries/{long.pk}")


def test_the_body_is_copied_byte_for_byte(alice: User, endpoint: Endpoint) -> None:
    delivery = sent(endpoint)
    event = delivery.event
    body = '{"a":"<b>&amp;\\u00e9é"}'
    Event.objects.filter(pk=event.pk).update(body=body)
    html = page(signed_in(alice), f"/webhooks/deliveries/{delivery.pk}")
    copied = re.search(r'data-copy="([^"]*)" aria-label="Copy the body as it is sent"', html)
    assert copied
    assert unescape(copied[1]) == body


def test_it_is_resent_and_cancelled(alice: User, endpoint: Endpoint) -> None:
    delivery = sent(endpoint, outcome="failed", status=500, problem="status")
    client = signed_in(alice)
    at = f"/webhooks/deliveries/{delivery.pk}"
    assert "It is sent again, now." in client.post(f"{at}/resend", follow=True).content.decode()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("pending", 0)
    assert "It is cancelled" in client.post(f"{at}/cancel", follow=True).content.decode()
    assert "It does not wait to be sent." in client.post(f"{at}/cancel", follow=True).content.decode()
    services.disable_endpoint(endpoint=endpoint)
    html = client.post(f"{at}/resend", follow=True).content.decode()
    assert "The endpoint is disabled. Enable it first." in html
    delivery.refresh_from_db()
    assert delivery.state == "cancelled"


@pytest.mark.parametrize(
    ("state", "due", "every"),
    [
        ("pending", timedelta(seconds=5), 'data-refresh="2000"'),
        ("pending", timedelta(hours=5), 'data-refresh="15000"'),
        ("delivered", timedelta(0), ""),
    ],
)
def test_its_page_looks_as_often_as_something_happens(
    alice: User, endpoint: Endpoint, state: str, due: timedelta, every: str
) -> None:
    delivery = recovery.send_test(endpoint, "job.completed")
    Delivery.objects.update(state=state, due_at=timezone.now() + due)
    html = page(signed_in(alice), f"/webhooks/deliveries/{delivery.pk}")
    assert every in html
    assert ("data-refresh=" in html) is bool(every)


def test_queries_do_not_grow_with_attempts(
    alice: User, endpoint: Endpoint, django_assert_num_queries: Callable[[int], Any]
) -> None:
    delivery = sent(endpoint)
    for number in range(2, 12):
        Attempt.objects.create(delivery_id=delivery.pk, number=number, outcome="failed", status=500)
    client = signed_in(alice)
    with django_assert_num_queries(5):
        html = page(client, f"/webhooks/deliveries/{delivery.pk}")
    assert html.count('class="hook-attempt"') == 11
