"""How a deployment was, minute by minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import connection

from apps.accounts.models import Organization
from apps.core.ids import uuid7_floor
from apps.deployments import demand, samples
from apps.deployments.demand import Count, Report
from apps.deployments.models import Deployment, Sample
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.managed import path_of
from tests.deployments.steps import brought_up, look
from tests.deployments.tables import deployment
from tests.keys.api_client import ApiClient

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def looked_at(of: Deployment, clock: time_machine.Coordinates, seconds: float) -> int:
    """How many samples there are after a look that much later."""
    clock.shift(timedelta(seconds=seconds))
    of.refresh_from_db()
    samples.note(of, ready=2)
    Deployment.objects.filter(pk=of.pk).update(looked_at=datetime.now(UTC))
    return Sample.objects.count()


def test_one_in_each_minute(clock: time_machine.Coordinates) -> None:
    one = deployment(desired_replicas=3, max_replicas=3)
    demand.write(UUID(int=1), Report({one.pk: Count(in_flight=4, waiting=1)}, frozenset()))
    assert [looked_at(one, clock, seconds) for seconds in (0, 5, 50, 5, 59)] == [1, 1, 1, 2, 2]
    first = samples.recent(one.pk, minutes=5)[0]
    assert (first.state, first.ready, first.desired) == ("ready", 2, 3)
    assert (first.in_flight, first.waiting) == (4, 1)


def test_a_look_takes_one(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    one = brought_up(fake_supervisor, fake_worker)
    assert [(sample.state, sample.ready) for sample in Sample.objects.all()] == [("ready", 1)]
    Deployment.objects.update(looked_at=NOON)
    look(one)
    assert Sample.objects.count() == 2


def test_the_api_shows_those_of_the_last_hour(acme: Organization) -> None:
    one = deployment(organization=acme)
    for minutes in (70, 30, 1):
        at = uuid7_floor(datetime.now(UTC) - timedelta(minutes=minutes))
        Sample.objects.create(
            id=at, deployment=one, state="ready", ready=minutes, desired=1, in_flight=0, waiting=0
        )
    told = ApiClient(acme).get(path_of(one, "metrics")).json()["samples"]
    assert [sample["ready"] for sample in told] == [30, 1]


def test_old_ones_are_forgotten_and_months_are_ahead() -> None:
    one = deployment()
    for days in (31, 29):
        Sample.objects.create(
            id=uuid7_floor(datetime.now(UTC) - timedelta(days=days)),
            deployment=one,
            state="ready",
            ready=1,
            desired=1,
            in_flight=0,
            waiting=0,
        )
    samples.keep()
    assert Sample.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'deployments_sample'::regclass")
        assert cursor.fetchone()[0] >= 5
