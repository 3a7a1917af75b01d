"""More replicas when there is more to do, fewer when there is less, each after its delay; then sleep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from apps.deployments import autoscaling, demand, services
from apps.deployments.demand import Count, Report
from apps.deployments.models import Demand, Deployment
from apps.deployments.specification import Scaling
from apps.deployments.states import State
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import brought_up, look, running, states_of
from tests.deployments.tables import deployment

pytestmark = pytest.mark.django_db
PROCESS = uuid4()
UP, DOWN = 30, 900


def scaling(**changes: Any) -> Deployment:
    fields = {
        "min_replicas": 0,
        "max_replicas": 3,
        "desired_replicas": 1,
        "concurrent_per_replica": 2,
        "kind": "serverless",
    }
    return deployment(**fields | changes)


def told(of: Deployment, in_flight: int = 0, waiting: int = 0) -> None:
    used = frozenset({of.pk}) if in_flight or waiting else frozenset()
    demand.write(PROCESS, Report({of.pk: Count(in_flight, waiting)}, used))


def adjusted(of: Deployment, *, scales_alone: bool = False) -> int:
    of.refresh_from_db()
    autoscaling.adjust(of, scales_alone=scales_alone)
    of.refresh_from_db()
    return of.desired_replicas


class Clock:
    def __init__(self, traveller: time_machine.Coordinates) -> None:
        self._traveller = traveller

    def passes(self, seconds: float) -> None:
        self._traveller.shift(timedelta(seconds=seconds))


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield Clock(traveller)


def test_work_that_lasts_brings_more_after_the_delay(clock: Clock) -> None:
    one = scaling()
    told(one, in_flight=2, waiting=3)
    assert adjusted(one) == 1
    clock.passes(UP - 1)
    told(one, in_flight=2, waiting=3)
    assert adjusted(one) == 1
    clock.passes(1)
    told(one, in_flight=2, waiting=3)
    assert adjusted(one) == 3
    assert one.scaled_up_at == timezone.now()
    assert "5 requests at once: 3 replicas from 1." in one.events.get().reason


def test_never_more_than_the_most(clock: Clock) -> None:
    one = scaling(max_replicas=2, scale_up_delay_seconds=0)
    told(one, waiting=100)
    assert adjusted(one) == 2


def test_a_rush_that_passes_changes_nothing(clock: Clock) -> None:
    one = scaling()
    told(one, in_flight=6)
    adjusted(one)
    clock.passes(UP / 2)
    told(one, in_flight=1)
    adjusted(one)
    assert one.busy_since is None
    clock.passes(UP / 2)
    told(one, in_flight=6)
    assert adjusted(one) == 1


def test_what_a_process_told_long_ago_counts_no_more(clock: Clock) -> None:
    one = scaling(scale_up_delay_seconds=0)
    told(one, in_flight=6)
    clock.passes(Demand.STALE_SECONDS + 1)
    assert adjusted(one) == 1


def test_processes_add_up(clock: Clock) -> None:
    one = scaling(scale_up_delay_seconds=0)
    for _ in range(3):
        demand.write(uuid4(), Report({one.pk: Count(in_flight=1)}, frozenset()))
    assert adjusted(one) == 2


def test_less_work_leaves_as_many_as_were_needed_meanwhile(clock: Clock) -> None:
    one = scaling(desired_replicas=3)
    told(one, in_flight=1)
    assert adjusted(one) == 3
    clock.passes(DOWN / 2)
    told(one, in_flight=4)
    adjusted(one)
    clock.passes(DOWN / 2)
    told(one, in_flight=1)
    assert adjusted(one) == 2
    clock.passes(1)
    told(one, in_flight=1)
    adjusted(one)
    clock.passes(DOWN)
    told(one, in_flight=1)
    assert adjusted(one) == 1


def test_nobody_for_the_delay_puts_it_to_sleep(clock: Clock) -> None:
    one = scaling()
    adjusted(one)
    clock.passes(DOWN - 1)
    assert adjusted(one) == 1
    clock.passes(1)
    assert adjusted(one) == 0
    assert (one.state, one.events.get().reason) == (State.ASLEEP, "Nobody used it for 900 s.")


def test_a_request_between_two_looks_keeps_it_awake(clock: Clock) -> None:
    one = scaling()
    adjusted(one)
    clock.passes(DOWN - 10)
    told(one, in_flight=1)
    told(one)
    clock.passes(10)
    assert adjusted(one) == 1
    clock.passes(DOWN - 10)
    assert adjusted(one) == 0


def test_one_of_fixed_size_is_let_be(clock: Clock) -> None:
    one = scaling(min_replicas=1, max_replicas=1)
    adjusted(one)
    clock.passes(10 * DOWN)
    assert adjusted(one) == 1
    assert one.state == State.READY


def test_with_a_minimum_it_never_sleeps(clock: Clock) -> None:
    one = scaling(min_replicas=1, desired_replicas=3)
    adjusted(one)
    clock.passes(DOWN)
    assert adjusted(one) == 1
    clock.passes(DOWN)
    assert adjusted(one) == 1


def test_where_the_provider_scales_only_sleep_is_ours(clock: Clock) -> None:
    one = scaling(scale_up_delay_seconds=0)
    told(one, in_flight=100)
    assert adjusted(one, scales_alone=True) == 1
    clock.passes(60)
    adjusted(one, scales_alone=True)
    clock.passes(DOWN)
    assert adjusted(one, scales_alone=True) == 0


def test_other_bounds_hold_at_once() -> None:
    one = scaling()
    services.scale_deployment(one, scaling=Scaling(min_replicas=2, max_replicas=4))
    one.refresh_from_db()
    assert (one.desired_replicas, one.max_replicas, one.concurrent_per_replica) == (2, 4, None)
    services.scale_deployment(one, scaling=Scaling(min_replicas=0, max_replicas=1))
    one.refresh_from_db()
    assert one.desired_replicas == 1


def test_of_two_that_scale_at_once_one_is_told() -> None:
    one = scaling()
    other = Deployment.objects.get(pk=one.pk)
    services.want_replicas(one, 2, reason="More.")
    with pytest.raises(services.StateChanged):
        services.want_replicas(other, 3, reason="Even more.")


def test_one_that_grows_is_not_degraded(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    one = brought_up(fake_supervisor, fake_worker)
    services.scale_deployment(one, scaling=Scaling(min_replicas=2, max_replicas=2))
    look(one)
    assert one.state == State.READY
    assert "runs 1 of 2 workers" in one.error_message
    assert fake_supervisor.wanted[one.pk].replicas == 2
    fake_supervisor.replicas += (running(fake_worker, "r2"),)
    look(one)
    assert (one.state, one.error_message) == (State.READY, "")


def test_what_does_not_come_in_time_is_degraded(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    one = brought_up(fake_supervisor, fake_worker)
    services.scale_deployment(one, scaling=Scaling(min_replicas=2, max_replicas=2))
    Deployment.objects.update(scaled_up_at=timezone.now() - timedelta(seconds=91))
    look(one)
    assert one.state == State.DEGRADED


def test_where_the_provider_has_no_room_it_stays_as_it_is(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    one = brought_up(fake_supervisor, fake_worker)
    services.scale_deployment(one, scaling=Scaling(min_replicas=1, max_replicas=3))
    services.want_replicas(one, 3, reason="Busy.")
    fake_supervisor.refusal = {"code": "capacity", "message": "No more fit here.", "permanent": True}
    look(one)
    assert (one.state, one.desired_replicas) == (State.READY, 1)
    assert one.events.last().reason == "No more fit here."  # type: ignore[union-attr]


def test_paused_runs_nothing_and_nothing_wakes_it(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    one = brought_up(fake_supervisor, fake_worker)
    services.pause_deployment(one)
    Deployment.objects.update(state_changed_at=timezone.now() - timedelta(minutes=2))
    look(one)
    assert fake_supervisor.wanted[one.pk].replicas == 0
    assert not services.wake_deployment(one.pk)
    services.start_deployment(one, reason="Resumed.")
    look(one)
    assert states_of(one)[-3:] == [State.PAUSED, State.STARTING, State.READY]
    assert fake_supervisor.wanted[one.pk].replicas == 1


def test_an_update_replaces_the_workers(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    one = brought_up(fake_supervisor, fake_worker)
    services.restart_deployment(one)
    look(one)
    assert one.state == State.UPDATING
    # The old one speaks until the new one can.
    assert [row.state for row in one.workers.all()] == ["ready"]
    fake_supervisor.replicas += (running(fake_worker, "r2", generation=2),)
    look(one)
    assert one.state == State.READY
