"""A serverless container at Verda, from its creation to its end, by what the reconciler does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.deployments import orphans, services
from apps.deployments.models import Deployment, Orphan, ProviderKey, Run, Worker
from apps.deployments.specification import Hardware, Scaling
from apps.deployments.states import State
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import long_ago, look, states_of
from tests.deployments.verda.platform import IMAGE, deployed, passes, set_up, until
from tests.fakes.verda import FakeVerda

pytestmark = pytest.mark.django_db


@pytest.fixture
def verda(settings: Any, fake_worker: FakeWorker) -> Iterator[FakeVerda]:
    # A cold start holds a question until the clock of the stand-in gets there.
    with FakeVerda(speed=60) as fake:
        set_up(settings, fake, fake_worker)
        yield fake


@pytest.fixture
def ready(verda: FakeVerda) -> Deployment:
    deployment = deployed()
    until(verda, deployment, lambda: deployment.state == State.READY)
    return deployment


@pytest.fixture
def asleep(verda: FakeVerda, ready: Deployment) -> Deployment:
    services.sleep_deployment(ready)
    long_ago(ready)
    # Seen at nothing once its own delay is over.
    verda.clock.advance(2000)
    look(ready)
    return ready


def name_of(deployment: Deployment) -> str:
    return f"vf-{deployment.pk.hex}"


def test_from_a_click_to_ready(verda: FakeVerda) -> None:
    deployment = deployed()
    look(deployment)
    there = verda.containers[name_of(deployment)]
    assert there.timeline.history[0] == "initializing"
    assert deployment.state == State.STARTING
    until(verda, deployment, lambda: deployment.state == State.READY)
    assert states_of(deployment) == ["requested", "provisioning", "starting", "ready"]
    [worker] = deployment.workers.all()
    assert (worker.state, worker.token) == (Worker.State.READY, deployment.worker_token)
    assert worker.url.endswith(name_of(deployment))
    assert deployment.capabilities["models"] == ["hibari"]


def test_what_it_is_made_of(verda: FakeVerda) -> None:
    deployment = deployed(environment={"THREADS": "2"}, secrets={"LICENSE": "s3cret-license"})
    look(deployment)
    there = verda.containers[name_of(deployment)]
    assert (there.image, there.spec["is_spot"]) == (IMAGE, True)
    assert there.spec["compute"] == {"name": "A100 40GB", "size": 1}
    environment = there.environment()
    assert (environment["ENGINE"], environment["THREADS"], environment["GENERATION"]) == (
        "chatterbox",
        "2",
        "1",
    )
    assert environment["LICENSE"] == f"{name_of(deployment)}-license"
    assert "s3cret-license" not in str(there.spec)
    assert deployment.worker_token not in str(there.spec)
    scaling = there.spec["scaling"]
    assert (scaling["min_replica_count"], scaling["max_replica_count"]) == (0, 3)
    assert scaling["scale_down_policy"] == {"delay_seconds": 900}


def test_its_batch_becomes_its_concurrency(verda: FakeVerda, ready: Deployment) -> None:
    look(ready)
    there = verda.containers[name_of(ready)]
    assert there.spec["scaling"]["concurrent_requests_per_replica"] == ready.capabilities["max_batch"] == 4


def test_what_is_quiet_is_not_asked(verda: FakeVerda, ready: Deployment) -> None:
    look(ready)
    verda.clock.advance(2000)  # Verda has ended its replica
    look(ready)
    asked, passages = len(verda.calls), len(verda.edge.passages)
    for _ in range(3):
        look(ready)
    assert len(verda.edge.passages) == passages
    assert len(verda.calls) == asked
    assert ready.state == State.READY


def test_a_sleeping_one_is_never_asked(verda: FakeVerda, asleep: Deployment) -> None:
    passages, bill = len(verda.edge.passages), verda.bill()
    for _ in range(3):
        verda.clock.advance(600)
        look(asleep)
    assert asleep.state == State.ASLEEP
    assert len(verda.edge.passages) == passages
    assert verda.bill() == bill
    assert not Run.objects.filter(ended_at=None).exists()


def test_a_request_wakes_it(verda: FakeVerda, asleep: Deployment) -> None:
    assert services.wake_deployment(asleep.pk)
    until(verda, asleep, lambda: asleep.state == State.READY, seconds=5)
    assert asleep.workers.get().state == Worker.State.READY
    assert states_of(asleep)[-2:] == ["starting", "ready"]


def test_what_runs_is_written_down(verda: FakeVerda, ready: Deployment) -> None:
    look(ready)
    [run] = Run.objects.all()
    assert (run.is_estimated, run.ended_at, str(run.price_per_hour)) == (True, None, "0.2380")


def test_another_image_without_a_gap(verda: FakeVerda, ready: Deployment) -> None:
    services.update_deployment(ready, hardware=Hardware(image="ghcr.io/acme/worker:2.0.0"))
    look(ready)
    there = verda.containers[name_of(ready)]
    assert (there.status, there.image) == ("version_updating", "ghcr.io/acme/worker:2.0.0")
    assert there.environment()["GENERATION"] == "2"
    assert ready.state == State.UPDATING
    assert ready.workers.get().state == Worker.State.READY
    until(verda, ready, lambda: ready.state == State.READY)
    assert ready.workers.get().generation == 2


def test_a_secret_of_another_value_is_kept_anew(verda: FakeVerda, ready: Deployment) -> None:
    for value in ("first", "second"):
        services.update_deployment(ready, hardware=Hardware(secrets={"LICENSE": value}))
        look(ready)
    assert verda.state.kept["secrets"][f"{name_of(ready)}-license"]["value"] == "second"


def test_paused_and_resumed(verda: FakeVerda, ready: Deployment) -> None:
    services.pause_deployment(ready)
    long_ago(ready)
    look(ready)
    assert verda.containers[name_of(ready)].status == "paused"
    assert not services.wake_deployment(ready.pk)
    services.start_deployment(ready, reason="Resumed.")
    until(verda, ready, lambda: ready.state == State.READY)


def test_other_bounds_reach_verda(verda: FakeVerda, ready: Deployment) -> None:
    services.scale_deployment(
        ready, scaling=Scaling(min_replicas=1, max_replicas=5, scale_up_delay_seconds=7)
    )
    look(ready)
    scaling = verda.containers[name_of(ready)].spec["scaling"]
    assert (scaling["min_replica_count"], scaling["max_replica_count"]) == (1, 5)
    assert scaling["scale_up_policy"] == {"delay_seconds": 7}


@pytest.mark.parametrize("status", ["unhealthy", "quota_reached"])
def test_what_will_not_come_up_fails_with_verdas_word(verda: FakeVerda, status: str) -> None:
    verda.durations.ends_as = status
    deployment = deployed()
    look(deployment)
    passes(verda, 70, deployment)
    long_ago(deployment, 100)
    look(deployment)
    assert deployment.state == State.FAILED
    assert status in deployment.error_message
    assert not verda.containers


def test_a_status_that_nobody_knows_is_pending(verda: FakeVerda) -> None:
    deployment = deployed()
    verda.faults.add("/container-deployments/*/status", times=10, kind="unknown_status")
    look(deployment)
    assert deployment.state == State.STARTING
    assert "warming_over" in deployment.error_message


def test_stopping_leaves_nothing(verda: FakeVerda) -> None:
    deployment = deployed(secrets={"LICENSE": "s3cret"})
    until(verda, deployment, lambda: deployment.state == State.READY)
    services.stop_deployment(deployment)
    long_ago(deployment)
    until(verda, deployment, lambda: deployment.state == State.STOPPED)
    assert not verda.containers
    assert not verda.state.kept["secrets"]
    assert not Run.objects.filter(ended_at=None).exists()


def test_a_creation_that_was_cut_off_makes_no_second_one(verda: FakeVerda) -> None:
    verda.faults.add("/container-deployments", "POST", kind="dropped_after")
    deployment = deployed()
    look(deployment)
    assert list(verda.containers) == [name_of(deployment)]
    assert deployment.state == State.STARTING


@pytest.mark.parametrize("kind", ["insufficient_funds", "forbidden"])
def test_a_refusal_that_lasts_fails_it_with_verdas_words(verda: FakeVerda, kind: Any) -> None:
    verda.faults.add("/container-deployments", "POST", kind=kind)
    deployment = deployed()
    look(deployment)
    assert deployment.state == State.FAILED
    assert f"Injected: {kind}" in deployment.error_message


def test_without_an_image_it_says_what_to_do(verda: FakeVerda, settings: Any) -> None:
    settings.DEFAULT_WORKER_IMAGE = ""
    deployment = deployed()
    look(deployment)
    assert (deployment.state, deployment.error_code) == (State.FAILED, "no_image")
    assert "DEFAULT_WORKER_IMAGE" in deployment.error_message


def test_what_nobody_knows_is_reported_and_ended_after_a_while(verda: FakeVerda, ready: Deployment) -> None:
    Run.objects.all().delete()
    Worker.objects.all().delete()
    Deployment.objects.all().delete()
    orphans.remove_orphans()
    [orphan] = Orphan.objects.all()
    assert orphan.removed_at is None
    assert len(verda.containers) == 1
    Orphan.objects.update(created_at=timezone.now() - timedelta(seconds=orphans.GRACE_SECONDS))
    orphans.remove_orphans()
    assert not verda.containers
    orphan.refresh_from_db()
    assert orphan.removed_at is not None


def test_what_is_not_ours_is_let_be(verda: FakeVerda, ready: Deployment, settings: Any) -> None:
    settings.VERDA_NAME_PREFIX = "other"
    orphans.remove_orphans()
    assert not Orphan.objects.exists()
    assert len(verda.containers) == 1


def test_staff_change_the_inference_key(verda: FakeVerda, settings: Any) -> None:
    settings.VERDA_INFERENCE_KEY = "an-old-one"
    deployment = deployed()
    passes(verda, 0, deployment)
    passes(verda, 100, deployment)
    assert deployment.state == State.STARTING
    ProviderKey.objects.create(provider="verda", inference_key=verda.inference_key)
    until(verda, deployment, lambda: deployment.state == State.READY)
