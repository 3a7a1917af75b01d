"""Scaled to nothing and woken again: services, looks at one that sleeps, and what the timeline teaches."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.deployments import orphans, reconciliation, services, starts
from apps.deployments.models import Deployment, DeploymentEvent, Worker
from apps.deployments.states import State
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.local_provider import environment_of_tests
from tests.deployments.steps import at_once, brought_up, long_ago, look, running, states_of

CHECKOUT = Path(__file__).resolve().parent.parent.parent
# After this, routers have noticed that it sleeps.
NOTICED = reconciliation.ROUTERS_NOTICE_SECONDS + 0.1


@pytest.fixture
def awake(db: None, fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> Deployment:
    return brought_up(fake_supervisor, fake_worker)


@pytest.fixture
def asleep(awake: Deployment, fake_supervisor: FakeSupervisor) -> Deployment:
    services.sleep_deployment(awake)
    long_ago(awake, NOTICED)
    look(awake)
    fake_supervisor.replicas = ()
    look(awake)
    return awake


def test_going_to_sleep_takes_traffic_and_wants_nothing(awake: Deployment) -> None:
    services.sleep_deployment(awake, reason="Nobody spoke for an hour.")
    awake.refresh_from_db()
    assert (awake.state, awake.desired_replicas, awake.min_replicas) == (State.ASLEEP, 0, 1)
    assert awake.workers.get().state == Worker.State.DRAINING
    assert awake.events.last().reason == "Nobody spoke for an hour."


def test_what_is_being_spoken_is_spoken_first(
    awake: Deployment, fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    fake_worker.says(queue={"active": 1, "waiting": 0})
    services.sleep_deployment(awake)
    for seconds in (0, NOTICED):
        long_ago(awake, seconds)
        assert look(awake) == reconciliation.NEXT_LOOK_SECONDS
        assert fake_supervisor.wanted[awake.pk].replicas == 1
    fake_worker.says(queue={"active": 0, "waiting": 0})
    assert look(awake) == reconciliation.NEXT_LOOK_SECONDS
    assert fake_supervisor.wanted[awake.pk].replicas == 0
    fake_supervisor.replicas = ()
    assert look(awake) is None
    assert awake.workers.get().state == Worker.State.LOST


def test_what_speaks_on_has_a_minute(
    awake: Deployment, fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    fake_worker.says(queue={"active": 1, "waiting": 0})
    services.sleep_deployment(awake)
    long_ago(awake, reconciliation.DRAIN_DEADLINE_SECONDS + 1)
    look(awake)
    assert fake_supervisor.wanted[awake.pk].replicas == 0


def test_one_that_sleeps_is_never_probed_and_its_voices_stay_known(
    asleep: Deployment, fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    fake_worker.headers.clear()
    events = asleep.events.count()
    for _ in range(3):
        assert look(asleep) is None
    assert fake_worker.headers == {}
    assert asleep.events.count() == events
    assert (asleep.state, asleep.capabilities["voices"]) == (State.ASLEEP, ["heart"])
    assert asleep.pk in fake_supervisor.wanted
    orphans.remove_orphans()
    assert asleep.pk in fake_supervisor.wanted


def test_a_provider_that_is_away_is_noted_on_the_page(
    asleep: Deployment, fake_supervisor: FakeSupervisor
) -> None:
    fake_supervisor.refusal = {"code": "busy", "message": "Come back later.", "permanent": False}
    fake_supervisor.wanted.clear()
    look(asleep)
    assert (asleep.state, asleep.error_message) == (State.ASLEEP, "Come back later.")
    fake_supervisor.refusal = None
    look(asleep)
    assert (asleep.state, asleep.error_message) == (State.ASLEEP, "")


def test_woken_it_comes_back_with_its_replicas(
    asleep: Deployment, fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    assert services.wake_deployment(asleep.pk)
    look(asleep)
    assert (asleep.state, asleep.desired_replicas) == (State.STARTING, 1)
    assert fake_supervisor.wanted[asleep.pk].replicas == 1
    fake_supervisor.replicas = (running(fake_worker, "r2"),)
    look(asleep)
    assert states_of(asleep)[-3:] == ["asleep", "starting", "ready"]
    assert asleep.events.order_by("-id")[1].reason == "A request woke it."


def test_woken_while_it_still_drains_it_is_ready_with_the_workers_it_has(awake: Deployment) -> None:
    services.sleep_deployment(awake)
    look(awake)
    services.wake_deployment(awake.pk)
    look(awake)
    assert (awake.state, awake.workers.get().state) == (State.READY, Worker.State.READY)


@pytest.mark.django_db(transaction=True)
def test_of_many_that_wake_it_at_once_one_does(asleep: Deployment) -> None:
    events = asleep.events.count()
    results = at_once(6, lambda: services.wake_deployment(asleep.pk))
    assert sorted(map(bool, results)) == [False] * 5 + [True]
    assert asleep.events.count() == events + 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_processes_that_wake_it_at_once_one_does(asleep: Deployment) -> None:
    events = asleep.events.count()
    code = (
        f"from apps.deployments.services import wake_deployment; print(wake_deployment({str(asleep.pk)!r}))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
            env=environment_of_tests(),
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=60)[0].split()[-1] for process in processes)
    assert said == ["False", "True"]
    assert asleep.events.count() == events + 1


@pytest.mark.parametrize("state", [State.PAUSED, State.READY, State.STOPPED, State.STARTING])
def test_only_what_sleeps_is_woken(db: None, state: State) -> None:
    deployment = Deployment.objects.create(name="one", engine="tone", state=state)
    assert not services.wake_deployment(deployment.pk)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.events.count()) == (state, 0)


@pytest.mark.parametrize("state", [State.PAUSED, State.STOPPED, State.ASLEEP])
def test_what_does_not_run_cannot_go_to_sleep(db: None, state: State) -> None:
    with pytest.raises(services.IllegalTransition):
        services.sleep_deployment(Deployment.objects.create(name="one", engine="tone", state=state))


def test_starting_what_sleeps_wakes_it(asleep: Deployment) -> None:
    services.start_deployment(asleep)
    assert (asleep.state, asleep.desired_replicas) == (State.STARTING, 1)


def test_stopped_in_its_sleep_it_starts_with_its_replicas(
    asleep: Deployment, fake_supervisor: FakeSupervisor
) -> None:
    services.stop_deployment(asleep)
    look(asleep)
    assert asleep.state == State.STOPPED
    services.start_deployment(asleep)
    assert (asleep.state, asleep.desired_replicas) == (State.REQUESTED, 1)


def test_restarted_in_its_sleep_it_sleeps_on(asleep: Deployment, fake_supervisor: FakeSupervisor) -> None:
    services.restart_deployment(asleep)
    look(asleep)
    assert (asleep.state, asleep.generation) == (State.ASLEEP, 2)
    assert fake_supervisor.wanted[asleep.pk].replicas == 0


@pytest.fixture
def timeline(db: None) -> Iterator[Any]:
    """Writes events of a deployment, each so many seconds after the one before."""
    deployment = Deployment.objects.create(name="one", engine="tone")
    moment = timezone.now() - timedelta(days=1)

    def write(*steps: tuple[str, float]) -> Deployment:
        nonlocal moment
        for state, seconds in steps:
            moment += timedelta(seconds=seconds)
            last = deployment.events.order_by("-id").first()
            event = DeploymentEvent.objects.create(
                deployment=deployment, from_state=last.to_state if last else "", to_state=state, reason="Why."
            )
            DeploymentEvent.objects.filter(pk=event.pk).update(created_at=moment)
        return deployment

    return write


def test_without_a_start_nothing_is_known(timeline: Any) -> None:
    assert starts.seconds_to_start(timeline(("requested", 0), ("provisioning", 1), ("starting", 5))) is None


def test_a_first_start_is_what_is_known_at_first(timeline: Any) -> None:
    assert starts.seconds_to_start(timeline(("starting", 0), ("ready", 90))) == 90


def test_wakes_tell_more_than_first_starts_and_the_longest_of_them_counts(timeline: Any) -> None:
    deployment = timeline(("starting", 0), ("ready", 90))
    for seconds in (8, 6, 7):
        timeline(("asleep", 600), ("starting", 600), ("ready", seconds))
    assert starts.seconds_to_start(deployment) == 8


def test_only_the_last_few_wakes_count(timeline: Any) -> None:
    for seconds in (60, 5, 4, 5, 4, 5):
        deployment = timeline(("asleep", 600), ("starting", 600), ("ready", seconds))
    assert starts.seconds_to_start(deployment) == 5


def test_a_start_that_did_not_end_well_is_none(timeline: Any) -> None:
    deployment = timeline(("starting", 0), ("degraded", 90), ("ready", 10), ("degraded", 5), ("ready", 5))
    assert starts.seconds_to_start(deployment) is None


def test_each_start_is_remembered_on_the_row(asleep: Deployment, fake_supervisor: FakeSupervisor) -> None:
    services.wake_deployment(asleep.pk)
    with FakeWorker() as fresh:
        fake_supervisor.replicas = (running(fresh, "r2"),)
        look(asleep)
    assert asleep.start_seconds is not None
    assert 0 < asleep.start_seconds < 30
