"""One look after another at a deployment, with a provider and workers that do what a test says."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from apps.deployments import claims, reconciliation, services, shared
from apps.deployments.models import Deployment, DeploymentEvent, Worker
from apps.deployments.providers.base import Replica, ReplicaState
from apps.deployments.states import State
from gpu_worker.protocol import PROTOCOL
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import brought_up, long_ago, look, requested, running, states_of

pytestmark = pytest.mark.django_db


def test_from_requested_to_ready(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    deployment = requested()
    look(deployment)
    assert deployment.state == State.STARTING
    assert fake_supervisor.wanted[deployment.pk].engine == "tone"
    fake_supervisor.replicas = (running(fake_worker, token="t0ken"),)
    look(deployment)
    assert states_of(deployment) == ["requested", "provisioning", "starting", "ready"]
    worker = deployment.workers.get()
    assert (worker.state, worker.url, worker.token) == (Worker.State.READY, fake_worker.url, "t0ken")
    assert deployment.capabilities["voices"] == ["heart"]


def test_looking_again_changes_nothing(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    events, worker = DeploymentEvent.objects.count(), deployment.workers.get()
    fake_supervisor.asked.clear()
    for _ in range(3):
        assert look(deployment) is None
    assert DeploymentEvent.objects.count() == events
    assert deployment.workers.get().pk == worker.pk
    assert {method for method, _ in fake_supervisor.asked} == {"GET"}


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_do_one_thing(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    deployment = requested()
    fake_supervisor.replicas = (running(fake_worker),)

    def run() -> None:
        reconciliation.reconcile_deployment(deployment.pk)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    look(deployment)
    assert states_of(deployment) == ["requested", "provisioning", "starting", "ready"]
    assert deployment.workers.count() == 1


def test_one_that_is_claimed_is_left_alone(fake_supervisor: FakeSupervisor) -> None:
    deployment = requested()
    claims.claim(deployment.pk, seconds=30)
    assert reconciliation.reconcile_deployment(deployment.pk) == reconciliation.BUSY_SECONDS
    assert fake_supervisor.asked == []


def test_one_that_does_not_exist_is_no_error() -> None:
    assert reconciliation.reconcile_deployment(uuid4()) is None


def test_degraded_and_back(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    with FakeWorker() as second:
        deployment = brought_up(fake_supervisor, fake_worker, second)
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.DEGRADED, "worker_unreachable")
    assert "could not be reached" in deployment.error_message
    assert [worker.state for worker in deployment.workers.order_by("provider_id")] == ["ready", "unreachable"]
    with FakeWorker() as third:
        fake_supervisor.replicas = (running(fake_worker), running(third, "r3"))
        look(deployment)
    assert (deployment.state, deployment.error_message) == (State.READY, "")
    assert deployment.workers.get(provider_id="r2").state == Worker.State.LOST


def test_a_crash_is_told_in_the_providers_words(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    fake_supervisor.replicas = (Replica("r1", ReplicaState.CRASHED, 1, message="It ended with status 3."),)
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.DEGRADED, "worker_crashed")
    assert deployment.error_message == "It ended with status 3."
    assert deployment.workers.get().state == Worker.State.LOST
    assert "It ended with status 3." in deployment.events.last().reason


def test_what_could_be_spoken_stays_known(fake_supervisor: FakeSupervisor, fake_worker: FakeWorker) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    fake_supervisor.replicas = ()
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.DEGRADED, "workers_missing")
    assert deployment.capabilities["models"] == ["hibari"]


def test_with_the_provider_away_the_workers_themselves_are_asked(
    var_dir: Path, fake_worker: FakeWorker
) -> None:
    deployment = Deployment.objects.create(name="one", engine="tone", state=State.READY)
    Worker.objects.create(
        deployment=deployment,
        provider_id="r1",
        url=fake_worker.url,
        state=Worker.State.READY,
        last_seen_at=timezone.now(),
    )
    look(deployment)
    assert deployment.state == State.READY
    Worker.objects.update(url="http://127.0.0.1:9")
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.DEGRADED, "provider_unreachable")
    assert "run_local_provider" in deployment.error_message
    assert deployment.workers.get().state == Worker.State.UNREACHABLE


def test_an_incompatible_worker_fails_a_start_and_says_so(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = requested()
    fake_worker.says(protocol=PROTOCOL + 1)
    fake_supervisor.replicas = (running(fake_worker),)
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.FAILED, "worker_incompatible")
    assert f"protocol {PROTOCOL + 1}" in deployment.error_message
    assert deployment.pk not in fake_supervisor.wanted


def test_a_worker_that_becomes_incompatible_gets_no_traffic(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    fake_worker.says(protocol=PROTOCOL + 1)
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.DEGRADED, "worker_incompatible")
    assert deployment.workers.get().state == Worker.State.INCOMPATIBLE
    assert shared.speech_status() == "none"


@pytest.mark.slow
def test_a_worker_that_misses_one_look_keeps_its_traffic(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    fake_worker.may_answer.clear()
    look(deployment)
    assert deployment.state == State.READY
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(minutes=1))
    look(deployment)
    assert (deployment.state, deployment.workers.get().state) == (State.DEGRADED, Worker.State.UNREACHABLE)


def test_a_start_that_takes_too_long_fails_with_the_words_of_the_worker(
    fake_supervisor: FakeSupervisor,
) -> None:
    deployment = requested()
    fake_supervisor.replicas = (Replica("r1", ReplicaState.CRASHED, 1, message="The model is missing."),)
    look(deployment)
    assert (deployment.state, deployment.error_message) == (State.STARTING, "The model is missing.")
    long_ago(deployment)
    look(deployment)
    assert (deployment.state, deployment.error_message) == (State.FAILED, "The model is missing.")
    assert deployment.pk not in fake_supervisor.wanted


def test_a_model_is_waited_for_as_long_as_its_worker_does_not_crash(fake_supervisor: FakeSupervisor) -> None:
    deployment = requested(engine="chatterbox")
    fake_supervisor.replicas = (Replica("r1", ReplicaState.STARTING, 1),)
    look(deployment)
    long_ago(deployment, 600)
    look(deployment)
    assert deployment.state == State.STARTING
    fake_supervisor.replicas = (Replica("r1", ReplicaState.CRASHED, 1, message="The model is missing."),)
    look(deployment)
    assert (deployment.state, deployment.error_message) == (State.FAILED, "The model is missing.")


def test_a_start_that_is_only_partly_done_in_time_is_degraded(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = requested(2)
    fake_supervisor.replicas = (running(fake_worker), Replica("r2", ReplicaState.STARTING, 1))
    look(deployment)
    assert deployment.state == State.STARTING
    long_ago(deployment)
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.DEGRADED, "worker_starting")


def test_a_refusal_for_good_fails_at_once(fake_supervisor: FakeSupervisor) -> None:
    deployment = requested()
    fake_supervisor.refusal = {"code": "capacity", "message": "No room. Stop another.", "permanent": True}
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.FAILED, "capacity")
    assert deployment.error_message == "No room. Stop another."


def test_a_refusal_for_now_is_tried_again_until_the_deadline(fake_supervisor: FakeSupervisor) -> None:
    deployment = requested()
    fake_supervisor.refusal = {"code": "busy", "message": "Come back later.", "permanent": False}
    look(deployment)
    assert (deployment.state, deployment.error_message) == (State.PROVISIONING, "Come back later.")
    long_ago(deployment)
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.FAILED, "busy")


def test_a_failed_deployment_can_be_started_again(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = requested()
    fake_supervisor.refusal = {"code": "capacity", "message": "No room.", "permanent": True}
    look(deployment)
    fake_supervisor.refusal = None
    fake_supervisor.replicas = (running(fake_worker),)
    services.start_deployment(deployment)
    look(deployment)
    assert (deployment.state, deployment.error_message) == (State.READY, "")


def test_a_restart_is_done_when_the_new_workers_are_ready(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    services.restart_deployment(deployment)
    look(deployment)
    assert deployment.state == State.UPDATING
    assert fake_supervisor.wanted[deployment.pk].generation == 2
    fake_supervisor.replicas = (running(fake_worker, "r2", generation=2),)
    look(deployment)
    assert deployment.state == State.READY


def test_a_provider_that_forgot_is_told_again(
    fake_supervisor: FakeSupervisor, fake_worker: FakeWorker
) -> None:
    deployment = brought_up(fake_supervisor, fake_worker)
    fake_supervisor.wanted.clear()
    look(deployment)
    assert deployment.pk in fake_supervisor.wanted
