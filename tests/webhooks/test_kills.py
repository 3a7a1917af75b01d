"""The process that sends is killed with a delivery at each point of its way: none is lost or logged twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings as django_settings
from django.db import transaction
from django.db.models.functions import Now

from apps.accounts.models import Organization
from apps.webhooks import catalogue, lanes, outbox
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event, Lane
from apps.webhooks.services import create_endpoint
from tests.platform import test_database_url, until
from tests.webhooks.receiver import Received, Receiver, Reply, running_receiver
from tests.webhooks.sender import Sender

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.django_db(transaction=True)]

KIND = "endpoint.disabled"
# A lease of 30 s, a lane of 40 s, the first retry after 5 s, and a sweep each 5 s.
RECOVERED_SECONDS = 90


class Place:
    """An organization with one endpoint and a receiver that answers when it is told to."""

    def __init__(self, name: str, receiver: Receiver) -> None:
        self.receiver = receiver
        self.organization = Organization.objects.create(name=name, slug=name)
        made = create_endpoint(organization=self.organization, url=receiver.url, created_by=None)
        self.endpoint: Endpoint = made.endpoint
        self.may_answer = threading.Event()
        self.may_answer.set()
        receiver.reply = self._answer

    def hold(self) -> None:
        self.may_answer.clear()

    def cause(self) -> Event:
        with transaction.atomic():
            return outbox.emit(KIND, organization_id=self.organization.pk, data=catalogue.find(KIND).example)

    @property
    def deliveries(self) -> list[Delivery]:
        return list(Delivery.objects.for_organization(self.organization).order_by("id"))

    @property
    def attempts(self) -> list[Attempt]:
        return list(Attempt.objects.filter(delivery__organization=self.organization))

    def _answer(self, _: Received) -> Reply:
        self.may_answer.wait(30)
        return Reply()


@pytest.fixture
def places(loopback: None) -> Iterator[dict[str, Place]]:
    names = ("claiming", "sending", "writing", "releasing", "queued", "uncalled")
    with ExitStack() as closing:
        yield {name: Place(name, closing.enter_context(running_receiver())) for name in names}


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    with Sender(tmp_path) as running:
        yield running


def _locking(statement: str, **values: Any) -> psycopg.Connection[Any]:
    """Somebody else who holds a lock until this is closed."""
    holder = psycopg.connect(test_database_url())
    holder.execute(statement, values)
    return holder


def test_nothing_is_lost_wherever_the_sender_is_killed(places: dict[str, Place], sender: Sender) -> None:
    # Received, and not answered.
    places["sending"].hold()
    places["sending"].cause()
    places["sending"].receiver.wait_for(1)
    # Answered and written down; its lane is not given back yet.
    places["releasing"].hold()
    places["releasing"].cause()
    places["releasing"].receiver.wait_for(1)
    lane_lock = _locking(
        "SELECT FROM webhooks_lane WHERE endpoint_id = %(id)s FOR UPDATE", id=places["releasing"].endpoint.pk
    )
    places["releasing"].may_answer.set()
    until(lambda: places["releasing"].deliveries[0].state == "delivered", what="it to be written")
    # Answered, and not written down.
    places["writing"].hold()
    places["writing"].cause()
    places["writing"].receiver.wait_for(1)
    log_lock = _locking("LOCK TABLE webhooks_attempt IN SHARE MODE")
    places["writing"].may_answer.set()
    # Its lane is taken; its attempt cannot be logged.
    places["claiming"].cause()
    held = Lane.objects.filter(endpoint=places["claiming"].endpoint, owner__isnull=False)
    until(held.exists, what="a lane")
    assert not places["claiming"].receiver.received

    sender.kill()
    places["sending"].may_answer.set()
    for lock in (lane_lock, log_lock):
        lock.close()
    places["queued"].cause()
    # Redis loses what was enqueued.
    places["uncalled"].cause()
    redis.Redis.from_url(django_settings.REDIS_URL).delete("celery:webhooks")
    places["queued"].cause()
    sender.start_again()

    def all_arrived() -> bool:
        return all(d.state == "delivered" for place in places.values() for d in place.deliveries)

    until(all_arrived, seconds=RECOVERED_SECONDS, what="all to arrive")
    for name, place in places.items():
        caused = {event.message_id for event in Event.objects.for_organization(place.organization)}
        assert {a.headers["webhook-id"] for a in place.receiver.received} == caused, name
        outcomes = [attempt.outcome for attempt in place.attempts]
        assert "sending" not in outcomes, name
        # Each request is an attempt in the log; one that was logged may not have left any more.
        assert len(outcomes) >= len(place.receiver.received), name
        numbers = [(attempt.delivery_id, attempt.number) for attempt in place.attempts]
        assert len(set(numbers)) == len(numbers), name
    assert [a.outcome for a in places["sending"].attempts] == ["interrupted", "delivered"]
    held = Lane.objects.filter(held_until__gt=Now())
    until(lambda: not held.exists(), seconds=lanes.HELD_SECONDS + 5, what="the lanes")
    assert Lane.objects.count() == lanes.LANES * len(places)


def test_a_slow_endpoint_delays_nobody_else(places: dict[str, Place], sender: Sender) -> None:
    slow, healthy = places["sending"], places["queued"]
    slow.hold()
    for _ in range(20):
        slow.cause()
    slow.receiver.wait_for(lanes.LANES)
    for count in range(1, 21):
        healthy.cause()
        healthy.receiver.wait_for(count, seconds=3)
    assert len(slow.receiver.received) == lanes.LANES
    slow.may_answer.set()
    slow.receiver.wait_for(20, seconds=30)


def test_connections_to_the_database_that_break_lose_nothing(
    places: dict[str, Place], sender: Sender
) -> None:
    place = places["queued"]
    stop = threading.Event()

    def cut() -> None:
        others = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = %s"
        )
        with psycopg.connect(test_database_url(), autocommit=True) as connection:
            while not stop.wait(0.1):
                connection.execute(others, ["voiceflow-sender"])

    cutting = threading.Thread(target=cut)
    cutting.start()
    try:
        for _ in range(30):
            place.cause()
            stop.wait(0.05)
        stop.wait(3)
    finally:
        stop.set()
        cutting.join()
    until(
        lambda: all(d.state == "delivered" for d in place.deliveries), seconds=RECOVERED_SECONDS, what="all"
    )
    assert len({a.headers["webhook-id"] for a in place.receiver.received}) == 30
    assert len(place.attempts) >= len(place.receiver.received)
