"""How many send to one endpoint at once, how fast, and what they see of each other."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.accounts.models import Organization
from apps.webhooks import delivering, lanes
from apps.webhooks.models import Delivery, Endpoint, Lane
from apps.webhooks.services import IssuedSecret, change_endpoint
from tests.webhooks.receiver import Receiver, Reply
from tests.webhooks.rows import cause

pytestmark = pytest.mark.django_db(transaction=True)


def causes(organization: Organization, count: int) -> None:
    with transaction.atomic():
        for _ in range(count):
            cause(organization)


def deliver_from_threads(endpoint: Endpoint, count: int) -> None:
    def run() -> None:
        try:
            delivering.deliver(endpoint.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_two_at_most_and_each_delivery_once(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def answer(_: object) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.03)
        with lock:
            running -= 1
        return Reply()

    receiver.reply = answer
    causes(acme, 30)
    deliver_from_threads(hooked.endpoint, 6)
    assert most == lanes.LANES
    assert len(receiver.received) == 30
    assert set(Delivery.objects.values_list("state", "attempts")) == {("delivered", 1)}
    assert not Lane.objects.filter(held_until__gt=Now()).exists()


def test_a_lane_whose_task_died_lapses(hooked: IssuedSecret) -> None:
    held = [lanes.take(hooked.endpoint.pk) for _ in range(lanes.LANES)]
    assert all(held)
    assert lanes.take(hooked.endpoint.pk) is None
    Lane.objects.update(held_until=Now() - timedelta(seconds=1))
    again = lanes.take(hooked.endpoint.pk)
    assert again is not None
    dead = next(lane for lane in held if lane and lane.lane_id == again.lane_id)
    dead.release()  # comes too late to give away what is another's
    assert Lane.objects.get(pk=again.lane_id).owner == again.owner
    dead.renewed_at -= lanes.RENEWED_AFTER_SECONDS
    assert not dead.renew()
    again.renewed_at -= lanes.RENEWED_AFTER_SECONDS
    assert again.renew()


def test_the_rate_limit_spaces_attempts(acme: Organization, hooked: IssuedSecret, receiver: Receiver) -> None:
    change_endpoint(endpoint=hooked.endpoint, rate_limit_per_minute=300)  # one each 200 ms
    causes(acme, 5)
    deliver_from_threads(hooked.endpoint, 3)
    moments = sorted(arrived.at for arrived in receiver.received)
    assert len(moments) == 5
    assert moments[-1] - moments[0] > 0.7


def test_a_low_rate_limit_holds_no_thread(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    change_endpoint(endpoint=hooked.endpoint, rate_limit_per_minute=2)
    causes(acme, 3)
    began = time.monotonic()
    delivering.deliver(hooked.endpoint.pk)
    assert time.monotonic() - began < 5
    assert len(receiver.received) == 1
    assert Delivery.objects.filter(state="pending").count() == 2


def test_one_that_is_disabled_amid_a_turn_gets_no_more(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver
) -> None:
    def answer(_: object) -> Reply:
        Endpoint.objects.update(disabled_at=Now(), disabled_because="by_person")
        connection.close()
        return Reply()

    receiver.reply = answer
    causes(acme, 3)
    delivering.deliver(hooked.endpoint.pk)
    assert len(receiver.received) == 1
    assert Delivery.objects.filter(state="pending").count() == 2
