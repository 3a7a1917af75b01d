"""A deployment's whole life on real processes: supervisor, speech worker, and the tasks that drive them."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import pytest
from django.db import connection

from apps.deployments import reconciliation, services, shared, tasks
from apps.deployments.models import Deployment, Worker
from apps.deployments.routing import Router, Slot, Target
from apps.deployments.states import State
from tests.deployments.local_provider import Supervisor, eventually, is_alive
from tests.deployments.tables import found, need

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def until(deployment: Deployment, state: State) -> None:
    """Looks at it, as the schedule does, until it is in that state."""

    def arrived() -> bool:
        reconciliation.reconcile_deployment(deployment.pk)
        deployment.refresh_from_db()
        return deployment.state == state

    eventually(arrived)


def targets() -> list[Target]:
    """Who would be asked for what is spoken by default."""

    async def ask() -> list[Target]:
        router = Router()
        await router.start()
        try:
            default = await router.choose(organization_id=None)
            return found(router, model=default.model, voice=default.voice)
        finally:
            await router.stop()

    return asyncio.run(ask())


def test_from_the_first_start_to_speech_to_a_crash_to_the_end(supervisor: Supervisor) -> None:
    deployment = shared.ensure_shared_deployment()
    until(deployment, State.READY)
    assert shared.speech_status() == "ready"
    [target] = targets()
    answer = httpx.post(
        f"{target.url}/generate", json={"text": "Good morning."}, headers=dict(target.headers)
    )
    assert answer.status_code == 200
    assert answer.content.startswith(b"RIFF")

    [recorded] = supervisor.workers()
    os.kill(recorded.pid, signal.SIGKILL)
    until(deployment, State.DEGRADED)
    until(deployment, State.READY)
    assert "killed by signal 9" in supervisor.log
    [again] = targets()
    assert again.worker_id != target.worker_id

    services.restart_deployment(deployment)
    until(deployment, State.READY)
    # The one before goes once the new one can speak.
    eventually(lambda: len(supervisor.workers()) == 1)
    until(deployment, State.READY)
    [restarted] = targets()
    assert restarted.worker_id != again.worker_id

    [recorded] = supervisor.workers()
    services.stop_deployment(deployment)
    until(deployment, State.STOPPED)
    assert not is_alive(recorded.pid)
    assert supervisor.provider.list_ids() == set()
    assert shared.speech_status() == "none"


def test_a_start_on_old_data_sends_no_traffic_to_workers_that_are_gone(own_supervisor: Supervisor) -> None:
    own_supervisor.start()
    deployment = services.create_deployment(organization=None, name="one", engine="tone")
    until(deployment, State.READY)
    own_supervisor.kill()
    own_supervisor.start()
    eventually(lambda: not Worker.objects.filter(state=Worker.State.READY).exists())
    until(deployment, State.READY)
    [target] = targets()
    assert httpx.get(f"{target.url}/ready").status_code == 200


def test_with_the_supervisor_killed_the_deployment_says_so_and_comes_back(own_supervisor: Supervisor) -> None:
    own_supervisor.start()
    deployment = services.create_deployment(organization=None, name="one", engine="tone")
    until(deployment, State.READY)
    own_supervisor.kill()
    until(deployment, State.DEGRADED)
    assert "run_local_provider" in deployment.error_message
    assert targets() == []
    own_supervisor.start()
    until(deployment, State.READY)


def test_a_deployment_that_cannot_start_fails_with_the_workers_words(supervisor: Supervisor) -> None:
    deployment = services.create_deployment(organization=None, name="one", engine="chatterbox")
    until(deployment, State.STARTING)
    eventually(
        lambda: (
            (reconciliation.reconcile_deployment(deployment.pk), deployment.refresh_from_db())
            and "Its last words: ENGINE=chatterbox needs torch" in deployment.error_message
        )
    )
    Deployment.objects.filter(pk=deployment.pk).update(state_changed_at="2020-01-01T00:00:00Z")
    until(deployment, State.FAILED)
    assert "Its last words: ENGINE=chatterbox needs torch" in deployment.error_message
    eventually(lambda: not supervisor.provider.list_ids())


def test_scaled_to_nothing_and_woken_by_a_request(supervisor: Supervisor) -> None:
    deployment = services.create_deployment(organization=None, name="one", engine="tone")
    until(deployment, State.READY)
    [recorded] = supervisor.workers()
    services.sleep_deployment(deployment)
    eventually(
        lambda: reconciliation.reconcile_deployment(deployment.pk) is None and not supervisor.workers()
    )
    assert not is_alive(recorded.pid)
    assert shared.speech_status() == "asleep"

    slot = asyncio.run(woken_and_waited_for(deployment))
    answer = httpx.post(
        f"{slot.target.url}/generate", json={"text": "Hi."}, headers=dict(slot.target.headers)
    )
    assert answer.status_code == 200
    deployment.refresh_from_db()
    assert (deployment.state, deployment.desired_replicas) == (State.READY, 1)
    assert deployment.start_seconds is not None
    reasons = list(deployment.events.values_list("reason", flat=True))[-3:]
    assert reasons == ["Put to sleep.", "A request woke it.", "1 of 1 workers ready."]


async def woken_and_waited_for(deployment: Deployment) -> Slot:
    """The slot that a request gets who waits, while the schedule looks at the deployment."""
    router = Router()
    await router.start()
    looking = asyncio.create_task(asyncio.to_thread(looks_until_ready, deployment))
    slot = await router.route(need(model="tone", voice="tone"), patience=router.patience(60))
    await looking
    await router.stop()
    return slot


def looks_until_ready(deployment: Deployment) -> None:
    try:
        until(Deployment.objects.get(pk=deployment.pk), State.READY)
    finally:
        connection.close()


def test_the_scheduled_task_runs_twice_without_harm(supervisor: Supervisor) -> None:
    deployment = shared.ensure_shared_deployment()
    for _ in range(2):
        tasks.bring_up.apply(throw=True)
        tasks.reconcile.apply(throw=True)
        tasks.reconcile_deployment.apply(args=[str(deployment.pk)])
    until(deployment, State.READY)
    assert Deployment.objects.count() == 1
    assert deployment.workers.exclude(state=Worker.State.LOST).count() == 1
