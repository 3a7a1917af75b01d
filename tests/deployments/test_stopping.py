"""Deployments that end, and what must not be left of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.deployments import orphans, reconciliation, services
from apps.deployments.models import Deployment, Worker
from apps.deployments.providers.base import Wanted
from apps.deployments.states import State
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import brought_up, long_ago, look, requested, running, states_of

pytestmark = pytest.mark.django_db


def test_stopping_waits_for_what_is_spoken(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    services.stop_deployment(deployment)
    fake_worker.says(queue={"active": 1, "waiting": 0, "capacity": 8})
    long_ago(deployment, 10)
    assert look(deployment) == reconciliation.NEXT_LOOK_SECONDS
    assert deployment.state == State.DRAINING
    fake_worker.says()
    look(deployment)
    assert states_of(deployment)[-3:] == ["draining", "stopping", "stopped"]
    assert deployment.pk not in fake_supervisor.wanted
    assert deployment.workers.get().state == Worker.State.LOST


def test_routers_are_given_time_to_notice_a_stop(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    services.stop_deployment(deployment)
    look(deployment)
    assert deployment.state == State.DRAINING


def test_a_request_that_never_ends_does_not_hold_up_a_stop(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    services.stop_deployment(deployment)
    fake_worker.says(queue={"active": 1, "waiting": 0, "capacity": 8})
    long_ago(deployment, reconciliation.DRAIN_DEADLINE_SECONDS + 1)
    look(deployment)
    assert deployment.state == State.STOPPED


def test_a_stop_waits_for_a_provider_that_is_away(var_dir: Path) -> None:
    deployment = Deployment.objects.create(name="one", engine="tone", state=State.STOPPING)
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.STOPPING, "provider_unreachable")


def test_a_stop_while_it_is_looked_at_is_heard(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = requested()
    fake_supervisor.replicas = (running(fake_worker),)
    stale = Deployment.objects.get(pk=deployment.pk)
    services.stop_deployment(deployment)
    with pytest.raises(services.StateChanged):
        services.transition(stale, to=State.PROVISIONING, reason="Too late.")
    look(deployment)
    assert deployment.state == State.STOPPED


def test_orphans_are_removed_and_nothing_else(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    stopped = Deployment.objects.create(name="stopped", engine="tone", state=State.STOPPED)
    for orphan in (uuid4(), stopped.pk):
        fake_supervisor.wanted[orphan] = Wanted(orphan, "orphan", "tone", 1, 1)
    orphans.remove_orphans()
    assert set(fake_supervisor.wanted) == {deployment.pk}


def test_orphans_of_a_provider_that_is_away_wait(var_dir: Path) -> None:
    orphans.remove_orphans()


def test_lost_workers_are_forgotten_after_an_hour() -> None:
    deployment = Deployment.objects.create(name="one", engine="tone")
    for name in ("old", "new"):
        Worker.objects.create(deployment=deployment, provider_id=name, state=Worker.State.LOST)
    old = timezone.now() - timedelta(hours=2)
    Worker.objects.filter(provider_id="old").update(updated_at=old)
    reconciliation.forget_lost_workers()
    assert deployment.workers.get().provider_id == "new"
