"""Dedicated machines at Verda: rented, replaced, given back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.deployments import orphans, reconciliation, services
from apps.deployments.models import Deployment, Run, Worker
from apps.deployments.providers import verda_setup
from apps.deployments.specification import Hardware, Scaling
from apps.deployments.states import State
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import long_ago, look
from tests.deployments.verda.platform import IMAGE, deployed, passes, set_up, until
from tests.fakes.verda import FakeVerda

pytestmark = pytest.mark.django_db
DEDICATED = Deployment.Kind.DEDICATED


@pytest.fixture
def verda(settings: Any, fake_worker: FakeWorker) -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        set_up(settings, fake, fake_worker)
        yield fake


@pytest.fixture
def ready(verda: FakeVerda) -> Deployment:
    deployment = deployed(DEDICATED)
    until(verda, deployment, lambda: deployment.state == State.READY)
    return deployment


def alive(verda: FakeVerda) -> list[Any]:
    over = {"deleting", "deleted", "gone", "discontinued"}
    return [machine for machine in verda.instances.values() if machine.status not in over]


def drained() -> None:
    """What drains has done so for longer than anybody notices."""
    Worker.objects.filter(state="draining").update(state_changed_at=timezone.now() - timedelta(minutes=2))


def test_from_a_click_to_ready(verda: FakeVerda) -> None:
    deployment = deployed(DEDICATED)
    look(deployment)
    [machine] = alive(verda)
    assert (machine.status, deployment.state) == ("ordered", State.STARTING)
    until(verda, deployment, lambda: deployment.state == State.READY)
    [worker] = deployment.workers.all()
    assert (worker.provider_id, worker.state) == (machine.id, Worker.State.READY)
    assert worker.url.startswith("http://127.0.0.1:")
    [script] = verda.state.kept["scripts"].values()
    assert IMAGE in script["script"]
    assert deployment.worker_token in script["script"]


def test_a_machine_that_is_reclaimed_is_replaced(verda: FakeVerda, ready: Deployment) -> None:
    [first] = alive(verda)
    verda.reclaim(first.id)
    passes(verda, 1, ready)
    until(verda, ready, lambda: ready.state == State.READY)
    [second] = alive(verda)
    assert second.id != first.id
    assert Run.objects.get(replica=first.id).ended_at is not None
    assert Run.objects.get(replica=second.id).ended_at is None


def test_not_without_end(verda: FakeVerda, ready: Deployment) -> None:
    for number in range(reconciliation.REPLACEMENTS_AN_HOUR + 1):
        Worker.objects.create(deployment=ready, provider_id=f"lost-{number}", state="lost")
    [first] = alive(verda)
    verda.reclaim(first.id)
    passes(verda, 1, ready)
    look(ready)
    assert alive(verda) == []
    assert ready.state == State.DEGRADED
    assert "lost within an hour" in ready.error_message


def test_more_and_fewer(verda: FakeVerda, ready: Deployment) -> None:
    services.scale_deployment(ready, scaling=Scaling.fixed(3))
    until(verda, ready, lambda: ready.workers.filter(state="ready").count() == 3)
    assert len(alive(verda)) == 3
    services.scale_deployment(ready, scaling=Scaling.fixed(1))
    look(ready)
    assert ready.workers.filter(state="draining").count() == 2
    assert len(alive(verda)) == 3
    drained()
    look(ready)
    assert len(alive(verda)) == 1
    assert ready.state == State.READY


def test_who_still_speaks_is_not_given_back(
    verda: FakeVerda, ready: Deployment, fake_worker: FakeWorker
) -> None:
    services.scale_deployment(ready, scaling=Scaling.fixed(2))
    until(verda, ready, lambda: ready.workers.filter(state="ready").count() == 2)
    fake_worker.says(queue={"active": 1, "waiting": 0})
    services.scale_deployment(ready, scaling=Scaling.fixed(1))
    look(ready)
    soon = timezone.now() - timedelta(seconds=10)
    Worker.objects.filter(state="draining").update(state_changed_at=soon)
    look(ready)
    assert len(alive(verda)) == 2
    fake_worker.says(queue={"active": 0, "waiting": 0})
    look(ready)
    look(ready)
    assert len(alive(verda)) == 1


def test_an_update_rents_new_ones_before_old_ones_go(verda: FakeVerda, ready: Deployment) -> None:
    [old] = alive(verda)
    services.update_deployment(ready, hardware=Hardware(image="ghcr.io/acme/worker:2.0.0"))
    look(ready)
    assert len(alive(verda)) == 2
    assert ready.workers.get(provider_id=old.id).state == Worker.State.READY
    until(verda, ready, lambda: ready.state == State.READY)
    until(verda, ready, lambda: ready.workers.get(provider_id=old.id).state == Worker.State.DRAINING)
    drained()
    look(ready)
    [new] = alive(verda)
    assert new.id != old.id


def test_an_order_that_was_cut_off_rents_no_second_one(verda: FakeVerda) -> None:
    verda.faults.add("/instances", "POST", kind="dropped_after")
    deployment = deployed(DEDICATED)
    for _ in range(3):
        look(deployment)
    assert len(alive(verda)) == 1


def test_no_capacity_is_asked_for_again(verda: FakeVerda) -> None:
    hardware = verda.hardware["1A100.40S.22V"]
    hardware.spot_available = False
    deployment = deployed(DEDICATED)
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.PROVISIONING, "no_capacity")
    hardware.spot_available = True
    verda_setup.forget_lists()  # its list of hardware is some minutes old
    until(verda, deployment, lambda: deployment.state == State.READY)


def test_a_machine_that_never_came_is_replaced(verda: FakeVerda) -> None:
    verda.durations.instances_end_as = "no_capacity"
    deployment = deployed(DEDICATED)
    look(deployment)
    verda.clock.advance(200)
    verda.durations.instances_end_as = "running"
    until(verda, deployment, lambda: deployment.state == State.READY)
    assert len([one for one in alive(verda) if one.status == "running"]) == 1


def test_stopping_leaves_nothing(verda: FakeVerda, ready: Deployment) -> None:
    services.stop_deployment(ready)
    long_ago(ready)
    until(verda, ready, lambda: ready.state == State.STOPPED)
    assert alive(verda) == []
    assert not verda.state.kept["scripts"]
    assert not Run.objects.filter(ended_at=None).exists()
    bill = verda.bill()
    verda.clock.advance(3600)
    assert verda.bill() == bill


def test_what_failed_is_taken_down_in_the_end(verda: FakeVerda, fake_worker: FakeWorker) -> None:
    fake_worker.says(protocol=99)
    deployment = deployed(DEDICATED)
    verda.faults.add("/instances", "PUT", times=10, kind="forbidden")
    until(verda, deployment, lambda: deployment.state == State.FAILED)
    assert len(alive(verda)) == 1
    verda.faults.clear()
    orphans.remove_orphans()
    assert alive(verda) == []
