"""Which deployments a task looks at: those that sleep or are quiet cost nobody anything."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.deployments import due
from apps.deployments.models import Deployment, Run
from apps.deployments.states import State
from tests.deployments.tables import deployment, worker

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(hours=1)


def at_verda(state: State, **fields: Any) -> Deployment:
    defaults = {"provider": "verda", "kind": "serverless", "state_changed_at": LONG_AGO, "min_replicas": 0}
    return deployment(state=state, **defaults | fields)


def is_due(one: Deployment, *, there: bool = True) -> bool:
    return one.pk in due.deployments({"verda": {one.pk} if there else set()})


@pytest.mark.parametrize("state", [State.ASLEEP, State.PAUSED])
def test_what_rests_is_let_be(state: State) -> None:
    assert not is_due(at_verda(state))


def test_what_just_fell_asleep_is_seen_to() -> None:
    assert is_due(at_verda(State.ASLEEP, state_changed_at=timezone.now()))


def test_what_rests_but_still_costs_is_seen_to() -> None:
    one = at_verda(State.ASLEEP)
    Run.objects.create(deployment=one, replica="r1", price_per_hour=Decimal(1), started_at=LONG_AGO)
    assert is_due(one)


def test_what_rests_but_still_has_workers_is_seen_to() -> None:
    one = at_verda(State.PAUSED)
    worker(one, state="draining")
    assert is_due(one)


def test_what_its_provider_has_no_more_is_seen_to() -> None:
    assert is_due(at_verda(State.ASLEEP), there=False)


def test_of_a_provider_that_did_not_answer_nothing_is_known() -> None:
    at_verda(State.ASLEEP)
    assert due.deployments({}) == []


def test_on_this_machine_what_sleeps_is_nothing() -> None:
    deployment(state=State.ASLEEP, state_changed_at=LONG_AGO)
    assert due.deployments({"local": set()}) == []


def test_what_is_ready_and_quiet_is_looked_at_now_and_then() -> None:
    one = at_verda(State.READY, looked_at=timezone.now())
    assert not is_due(one)
    Deployment.objects.update(looked_at=timezone.now() - timedelta(seconds=due.QUIET_SECONDS + 1))
    assert is_due(one)


def test_what_is_used_is_looked_at_often() -> None:
    assert is_due(at_verda(State.READY, looked_at=timezone.now(), last_used_at=timezone.now()))


@pytest.mark.parametrize("fields", [{"kind": "dedicated", "min_replicas": 1}, {"provider": "local"}])
def test_workers_that_may_be_asked_are_asked_often(fields: dict[str, Any]) -> None:
    assert is_due(at_verda(State.READY, looked_at=timezone.now(), **fields))


@pytest.mark.parametrize("state", [State.REQUESTED, State.STARTING, State.DRAINING, State.DEGRADED])
def test_what_is_on_its_way_is_looked_at_often(state: State) -> None:
    assert is_due(at_verda(state, looked_at=timezone.now()))


@pytest.mark.parametrize("state", [State.STOPPED, State.FAILED])
def test_what_is_at_rest_is_not_looked_at(state: State) -> None:
    assert not is_due(at_verda(state, error_code="x", error_message="x"), there=False)
