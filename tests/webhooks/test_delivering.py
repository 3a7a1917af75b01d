"""A delivery from the event to the receiver and the log, by the functions that the tasks call."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from apps.accounts.models import Organization
from apps.core.ids import uuid7_floor
from apps.keys.services import issue_key
from apps.webhooks import claims, delivering, outbox, recovery, schedule, sweeping
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event
from apps.webhooks.services import IssuedSecret
from tests.webhooks.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


def cause(organization: Organization) -> Event:
    issue_key(organization=organization, name="Website", mode="live", scopes=["speech"], created_by=None)
    return Event.objects.order_by("-id")[0]


def test_an_event_arrives_signed_and_is_logged(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    event = cause(acme)
    delivering.deliver(hooked.endpoint.pk)
    [arrived] = receiver.received
    told = Webhook(hooked.secret).verify(arrived.body, arrived.headers)
    assert told["type"] == "key.created"
    assert told["data"]["name"] == "Website"
    assert told["id"] == arrived.headers["webhook-id"] == event.message_id
    assert arrived.body.decode() == event.body
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 200)
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.status, attempt.response_body) == ("delivered", 200, "ok")
    assert attempt.delivery_id == delivery.pk


def test_a_failure_is_tried_again_when_it_is_due(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    receiver.answer(Reply(500, b"sorry"), Reply())
    cause(acme)
    delivering.deliver(hooked.endpoint.pk)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_status) == ("pending", 500)
    assert timedelta(seconds=3) < delivery.due_at - timezone.now() < timedelta(seconds=6.1)
    assert Endpoint.objects.get().failing_since is not None
    delivering.deliver(hooked.endpoint.pk)
    assert len(receiver.received) == 1
    Delivery.objects.update(due_at=timezone.now())
    assert sweeping.endpoints_with_due() == [hooked.endpoint.pk]
    delivering.deliver(hooked.endpoint.pk)
    assert len({arrived.headers["webhook-id"] for arrived in receiver.received}) == 1
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["failed", "delivered"]
    assert Delivery.objects.get().state == "delivered"
    assert Endpoint.objects.get().failing_since is None


def test_what_a_transaction_takes_back_was_never_there(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    with transaction.atomic():
        cause(acme)
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()


def test_an_event_outside_a_transaction_is_refused(acme: Organization) -> None:
    with pytest.raises(RuntimeError):
        outbox.emit("key.created", organization_id=acme.pk, data={})


def test_an_attempt_whose_task_died_is_ended_and_made_anew(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    cause(acme)
    _lapse(hooked.endpoint)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_problem) == ("pending", "interrupted")
    assert timedelta(seconds=3) < delivery.due_at - timezone.now() <= timedelta(seconds=5)
    Delivery.objects.update(due_at=timezone.now())
    delivering.deliver(hooked.endpoint.pk)
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["interrupted", "delivered"]
    assert json.loads(receiver.received[0].body)["type"] == "key.created"


def test_one_whose_task_always_dies_comes_to_an_end(acme: Organization, hooked: IssuedSecret) -> None:
    cause(acme)
    for _ in range(schedule.ATTEMPTS):
        assert Delivery.objects.get().state == "pending"
        Delivery.objects.update(due_at=timezone.now())
        _lapse(hooked.endpoint)
    assert Delivery.objects.get().state == "failed"
    assert Attempt.objects.filter(outcome="interrupted").count() == schedule.ATTEMPTS


def test_an_attempt_that_was_cancelled_and_died_is_ended(acme: Organization, hooked: IssuedSecret) -> None:
    cause(acme)
    assert claims.claim_next(hooked.endpoint.pk)
    recovery.cancel(Delivery.objects.get())
    _age_attempts()
    sweeping.give_back()
    assert Attempt.objects.get().outcome == "interrupted"
    assert Delivery.objects.get().state == "cancelled"


def _lapse(endpoint: Endpoint) -> None:
    assert claims.claim_next(endpoint.pk) is not None
    assert sweeping.give_back() == 0
    Delivery.objects.filter(state="sending").update(due_at=timezone.now())
    _age_attempts()
    assert sweeping.give_back() == 1


def _age_attempts() -> None:
    """As if they had begun a minute ago."""
    for attempt in Attempt.objects.filter(outcome="sending"):
        was = attempt.pk
        aged = UUID(int=uuid7_floor(timezone.now() - timedelta(minutes=1)).int | secrets.randbits(62))
        Attempt.objects.filter(pk=was).update(id=aged)
        Delivery.objects.filter(attempt_id=was).update(attempt_id=aged)
