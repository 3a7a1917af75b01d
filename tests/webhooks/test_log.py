"""What the log keeps of strange answers, for how long, and what is measured of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from prometheus_client import REGISTRY
from standardwebhooks import Webhook

from apps.accounts.models import Organization
from apps.core.ids import uuid7_floor, uuid7_time
from apps.webhooks import delivering, measures, pruning
from apps.webhooks.attempts import HIDDEN
from apps.webhooks.models import Attempt, Delivery, Event
from apps.webhooks.services import IssuedSecret, change_endpoint
from tests.webhooks.receiver import Receiver, Reply
from tests.webhooks.rows import cause

pytestmark = pytest.mark.django_db(transaction=True)


def attempted(hooked: IssuedSecret) -> Attempt:
    delivering.deliver(hooked.endpoint.pk)
    return Attempt.objects.get()


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 429, 500, 503])
def test_what_is_no_2xx_is_not_received(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver, status: int
) -> None:
    receiver.answer(Reply(status, headers={"Location": receiver.url}))
    cause(acme)
    attempt = attempted(hooked)
    assert (attempt.outcome, attempt.status, attempt.problem) == ("failed", status, "status")
    assert attempt.next_attempt_at is not None
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is(acme: Organization, hooked: IssuedSecret, receiver: Receiver, status: int) -> None:
    receiver.answer(Reply(status, body=b""))
    cause(acme)
    assert attempted(hooked).outcome == "delivered"


def test_a_long_answer_is_cut_and_one_that_is_no_text_is_kept(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    receiver.answer(Reply(500, b"\xff\x00\xfe" + b"x" * 200_000))
    cause(acme)
    attempt = attempted(hooked)
    assert attempt.is_cut
    assert len(attempt.response_body) <= 20_000
    assert "\0" not in attempt.response_body


def test_own_headers_go_along_and_are_not_logged(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    change_endpoint(endpoint=hooked.endpoint, headers={"X-Token": "s3cret"})
    cause(acme)
    attempt = attempted(hooked)
    assert receiver.received[0].headers["x-token"] == "s3cret"
    assert attempt.request_headers["x-token"] == HIDDEN
    assert attempt.request_headers["webhook-id"] == receiver.received[0].headers["webhook-id"]


def test_a_receiver_that_is_not_there(acme: Organization, hooked: IssuedSecret, receiver: Receiver) -> None:
    change_endpoint(endpoint=hooked.endpoint, url="http://127.0.0.1:9/nobody")
    cause(acme)
    attempt = attempted(hooked)
    assert (attempt.outcome, attempt.status, attempt.problem) == ("failed", None, "connect")
    assert attempt.problem_words


def test_an_address_that_may_not_be_reached(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    cause(acme)
    attempt = attempted(hooked)
    assert attempt.status is None
    assert attempt.problem in {"refused_address", "invalid_url"}
    assert not receiver.received


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_off_changes_nothing(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver, minutes: int
) -> None:
    receiver.answer(Reply(500), Reply())
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes), tick=True):
        cause(acme)
        delivering.deliver(hooked.endpoint.pk)
        delivering.deliver(hooked.endpoint.pk)
    assert len(receiver.received) == 1  # the retry is due in 5 s by the database's clock
    arrived = receiver.received[0]
    assert Webhook(hooked.secret).verify(arrived.body, arrived.headers)
    due_in = Delivery.objects.get().due_at - timezone.now()
    assert timedelta(seconds=2) < due_in < timedelta(seconds=7)


def test_the_log_is_kept_for_its_time(acme: Organization, hooked: IssuedSecret, settings: Any) -> None:
    kept = cause(acme)
    delivering.deliver(hooked.endpoint.pk)
    old = _age(_copy(kept), timedelta(days=settings.WEBHOOK_LOG_DAYS, hours=1))
    assert pruning.prune() == 1
    assert not Event.objects.filter(pk=old).exists()
    assert [event.pk for event in Event.objects.all()] == [kept.pk]
    assert Delivery.objects.count() == 1
    assert Attempt.objects.count() == 1


def test_whole_months_go_as_partitions(acme: Organization) -> None:
    month = datetime(2024, 3, 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        bounds = (uuid7_floor(month), uuid7_floor(datetime(2024, 4, 1, tzinfo=UTC)))
        cursor.execute(
            "CREATE TABLE webhooks_event_2024_03 PARTITION OF webhooks_event "
            f"FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')"
        )
    event = Event(id=uuid7_floor(month + timedelta(days=3)), organization=acme, type="key.created", body="{}")
    event.save(force_insert=True)
    assert pruning.prune() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('webhooks_event_2024_03')")
        assert cursor.fetchone() == (None,)
    assert not Event.objects.exists()


def test_what_is_measured(acme: Organization, hooked: IssuedSecret, receiver: Receiver) -> None:
    def sample(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    counted: Callable[[str], float] = lambda outcome: sample(  # noqa: E731 - short and local
        "voiceflow_webhook_attempts_total", outcome=outcome
    )
    before = {outcome: counted(outcome) for outcome in ("delivered", "failed")}
    assert sample("voiceflow_webhook_oldest_undelivered_seconds") == 0
    receiver.answer(Reply(500), Reply())
    event = cause(acme)
    delivering.deliver(hooked.endpoint.pk)
    age = sample("voiceflow_webhook_oldest_undelivered_seconds")
    assert 0 < age <= (timezone.now() - uuid7_time(event.pk)).total_seconds()
    Delivery.objects.update(due_at=timezone.now())
    delivering.deliver(hooked.endpoint.pk)
    after = measures.attempts_by_outcome()
    assert {outcome: after[outcome] - before[outcome] for outcome in before} == {"delivered": 1, "failed": 1}
    assert sample("voiceflow_webhook_oldest_undelivered_seconds") == 0


def _copy(event: Event) -> Event:
    return Event(organization_id=event.organization_id, type=event.type, body=event.body)


def _age(event: Event, age: timedelta) -> Any:
    event.id = uuid7_floor(timezone.now() - age)
    event.save(force_insert=True)
    return event.id
