"""What failures do to an endpoint, and who is told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.webhooks import delivering, health, sweeping
from apps.webhooks.models import Delivery, Endpoint
from apps.webhooks.services import IssuedSecret, create_endpoint, enable_endpoint
from tests.webhooks.receiver import Receiver, Reply
from tests.webhooks.rows import cause

pytestmark = pytest.mark.django_db(transaction=True)

KIND = "key.created"


@pytest.fixture
def other(acme: Organization) -> Endpoint:
    """Another endpoint of acme, which wants to hear of endpoints alone."""
    made = create_endpoint(
        organization=acme, url="http://127.0.0.1:9/other", created_by=None, events=["endpoint.*"]
    )
    return made.endpoint


def test_gone_disables_at_once_and_tells(
    acme: Organization, bob: User, hooked: IssuedSecret, other: Endpoint, receiver: Receiver
) -> None:
    receiver.answer(Reply(410))
    cause(acme)
    delivering.deliver(hooked.endpoint.pk)
    endpoint = Endpoint.objects.get(pk=hooked.endpoint.pk)
    assert (endpoint.state, endpoint.disabled_because, endpoint.mail_due) == ("disabled", "gone", True)
    failed = Delivery.objects.get(endpoint=endpoint)
    assert (failed.state, failed.last_status) == ("failed", 410)
    [told] = Delivery.objects.filter(endpoint=other)
    assert json.loads(told.event.body)["data"]["reason"] == "gone"
    assert health.tell_owners(endpoint.pk)
    assert not health.tell_owners(endpoint.pk)
    [message] = mail.outbox
    assert message.to == ["alice@acme.example"]
    assert receiver.url in message.body
    assert "410 Gone" in message.body


def test_five_days_of_failure_disable(
    acme: Organization, hooked: IssuedSecret, other: Endpoint, receiver: Receiver
) -> None:
    receiver.answer(Reply(500))
    cause(acme)
    since = timezone.now() - timedelta(days=4, hours=23)
    Endpoint.objects.filter(pk=hooked.endpoint.pk).update(failing_since=since)
    delivering.deliver(hooked.endpoint.pk)
    assert Endpoint.objects.get(pk=hooked.endpoint.pk).state == "failing"
    Endpoint.objects.filter(pk=hooked.endpoint.pk).update(failing_since=since - timedelta(hours=1))
    Delivery.objects.update(due_at=timezone.now())
    delivering.deliver(hooked.endpoint.pk)
    endpoint = Endpoint.objects.get(pk=hooked.endpoint.pk)
    assert (endpoint.state, endpoint.disabled_because) == ("disabled", "failing")
    assert Delivery.objects.filter(endpoint=other).count() == 1
    health.tell_owners(endpoint.pk)
    assert "for 5 days" in mail.outbox[0].body


def test_what_waits_is_kept_and_sent_once_it_is_enabled(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    cause(acme)
    health.disable(hooked.endpoint, because=Endpoint.Disabled.FAILING)
    cause(acme)  # while it is disabled: nothing is queued
    delivering.deliver(hooked.endpoint.pk)
    assert sweeping.endpoints_with_due() == []
    assert not receiver.received
    assert Delivery.objects.filter(event_type=KIND).count() == 1
    enable_endpoint(endpoint=hooked.endpoint)
    assert sweeping.endpoints_with_due() == [hooked.endpoint.pk]
    delivering.deliver(hooked.endpoint.pk)
    assert len(receiver.received) == 1


def test_one_that_was_enabled_again_is_not_mailed_about(hooked: IssuedSecret) -> None:
    health.disable(hooked.endpoint, because=Endpoint.Disabled.FAILING)
    enable_endpoint(endpoint=hooked.endpoint)
    assert not health.tell_owners(hooked.endpoint.pk)
    assert not mail.outbox


def test_disabling_twice_tells_once(hooked: IssuedSecret, other: Endpoint) -> None:
    assert health.disable(hooked.endpoint, because=Endpoint.Disabled.FAILING)
    assert not health.disable(hooked.endpoint, because=Endpoint.Disabled.GONE)
    assert Delivery.objects.filter(endpoint=other).count() == 1


def test_an_answer_that_takes_long_makes_it_slow(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    receiver.answer(Reply(wait_seconds=2.1))
    cause(acme)
    delivering.deliver(hooked.endpoint.pk)
    endpoint = Endpoint.objects.get(pk=hooked.endpoint.pk)
    assert endpoint.is_slow
    assert endpoint.state == "enabled"


def test_endpoints_that_are_slow_leave_threads_to_others(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    Endpoint.objects.update(slow_until=timezone.now() + timedelta(minutes=1))
    cause(acme)
    taken = [delivering.slow_places.acquire(blocking=False) for _ in range(delivering.SLOW_THREADS)]
    try:
        assert all(taken)
        delivering.deliver(hooked.endpoint.pk)
        assert not receiver.received
    finally:
        for _ in taken:
            delivering.slow_places.release()
    delivering.deliver(hooked.endpoint.pk)
    assert len(receiver.received) == 1
