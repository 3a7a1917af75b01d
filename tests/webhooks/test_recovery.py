"""Sending again, cancelling, trying out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.errors import Conflict, InvalidRequest, NotFound
from apps.webhooks import catalogue, claims, delivering, recovery
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event
from apps.webhooks.services import IssuedSecret, change_endpoint, delete_endpoint, disable_endpoint
from tests.webhooks.receiver import Receiver, Reply
from tests.webhooks.rows import cause

pytestmark = pytest.mark.django_db(transaction=True)


def only() -> Delivery:
    return Delivery.objects.select_related("event", "endpoint").get()


def test_a_delivered_one_is_sent_again(acme: Organization, hooked: IssuedSecret, receiver: Receiver) -> None:
    cause(acme)
    delivering.deliver(hooked.endpoint.pk)
    recovery.resend(only())
    delivering.deliver(hooked.endpoint.pk)
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert [attempt.number for attempt in Attempt.objects.all()] == [1, 2]
    assert (only().state, only().attempts, only().tries) == ("delivered", 2, 1)


def test_one_that_is_being_sent_is_not(acme: Organization, hooked: IssuedSecret) -> None:
    cause(acme)
    assert claims.claim_next(hooked.endpoint.pk)
    with pytest.raises(Conflict) as refused:
        recovery.resend(only())
    assert refused.value.code == "being_sent"


def test_a_cancelled_one_is_not_sent(acme: Organization, hooked: IssuedSecret, receiver: Receiver) -> None:
    cause(acme)
    recovery.cancel(only())
    delivering.deliver(hooked.endpoint.pk)
    assert not receiver.received
    with pytest.raises(Conflict):
        recovery.cancel(only())
    recovery.resend(only())
    delivering.deliver(hooked.endpoint.pk)
    assert only().state == "delivered"


def test_one_cancelled_while_it_fails_stays_cancelled(acme: Organization, hooked: IssuedSecret) -> None:
    cause(acme)
    claim = claims.claim_next(hooked.endpoint.pk)
    assert claim is not None
    recovery.cancel(only())
    failed = claims.Outcome(
        "failed", "pending", 500, "status", "", 5, {}, {}, "", False, timedelta(seconds=5)
    )
    assert not claims.finish(claim, failed)
    assert only().state == "cancelled"
    assert Attempt.objects.get().outcome == "failed"


def test_all_that_failed_since_then_is_sent_anew(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    receiver.answer(Reply(500))
    for _ in range(3):
        cause(acme)
    Delivery.objects.update(tries=9)
    delivering.deliver(hooked.endpoint.pk)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}
    receiver.answer(Reply())
    assert recovery.recover(hooked.endpoint, since=timezone.now() + timedelta(seconds=5)) == 0
    assert recovery.recover(hooked.endpoint, since=timezone.now() - timedelta(minutes=1)) == 3
    delivering.deliver(hooked.endpoint.pk)
    assert set(Delivery.objects.values_list("state", "tries")) == {("delivered", 1)}


def test_since_may_be_any_time(acme: Organization, hooked: IssuedSecret) -> None:
    cause(acme)
    Delivery.objects.update(state="failed")
    assert recovery.recover(hooked.endpoint, since=datetime(1900, 1, 1, tzinfo=UTC)) == 1


def test_what_was_never_queued_is_recovered_if_asked_for(
    acme: Organization, globex: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    change_endpoint(endpoint=hooked.endpoint, events=["key.*"])
    disable_endpoint(endpoint=hooked.endpoint)
    wanted = [cause(acme), cause(acme, "key.revoked")]
    cause(acme, "voice.created")
    cause(globex)
    Endpoint.objects.update(disabled_at=None, disabled_because="")
    since = timezone.now() - timedelta(minutes=1)
    assert recovery.recover(hooked.endpoint, since=since) == 0
    assert recovery.recover(hooked.endpoint, since=since, include_missing=True) == 2
    assert recovery.recover(hooked.endpoint, since=since, include_missing=True) == 0
    delivering.deliver(hooked.endpoint.pk)
    ids = {arrived.headers["webhook-id"] for arrived in receiver.received}
    assert ids == {event.message_id for event in wanted}


def test_a_test_event_is_marked_and_for_this_endpoint_alone(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    change_endpoint(endpoint=hooked.endpoint, events=["voice.created"])
    recovery.send_test(hooked.endpoint, "job.completed")
    delivering.deliver(hooked.endpoint.pk)
    [arrived] = receiver.received
    told = json.loads(arrived.body)
    assert (told["type"], told["test"]) == ("job.completed", True)
    assert told["data"] == catalogue.find("job.completed").example
    assert Event.objects.get().is_test
    with pytest.raises(InvalidRequest):
        recovery.send_test(hooked.endpoint, "job.exploded")


def test_nothing_is_sent_to_one_that_is_disabled(acme: Organization, hooked: IssuedSecret) -> None:
    cause(acme)
    disable_endpoint(endpoint=hooked.endpoint)
    for refused in (
        lambda: recovery.resend(only()),
        lambda: recovery.recover(hooked.endpoint, since=timezone.now()),
        lambda: recovery.send_test(hooked.endpoint, "key.created"),
    ):
        with pytest.raises(Conflict) as error:
            refused()
        assert error.value.code == "endpoint_disabled"


def test_others_and_deleted_ones_are_not_found(
    acme: Organization, globex: Organization, hooked: IssuedSecret
) -> None:
    cause(acme)
    assert recovery.delivery_of(acme, only().pk) == only()
    with pytest.raises(NotFound):
        recovery.delivery_of(globex, only().pk)
    delete_endpoint(endpoint=hooked.endpoint)
    with pytest.raises(NotFound):
        recovery.delivery_of(acme, only().pk)
