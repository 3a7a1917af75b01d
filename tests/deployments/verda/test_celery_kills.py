"""Celery's worker is killed, with all its processes, before and after each change that it makes at Verda.

It is started anew each time, as a supervisor would, and knows nothing of what it was at.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from apps.deployments import services
from apps.deployments.models import Deployment, Run
from apps.deployments.specification import Hardware
from apps.deployments.states import State
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import states_of
from tests.deployments.verda.life import OVER, shape
from tests.deployments.verda.platform import IMAGE, deployed, set_up
from tests.fakes.verda import FakeVerda
from tests.fakes.verda.wire import Request
from tests.platform import test_database_url
from tests.tts.jobs.celery_worker import CeleryWorker, Surroundings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(400)]

# An image of a minute is there in two seconds.
SPEED = 30.0
STEP_SECONDS = 60.0
CREATIONS = {("POST", "/container-deployments"), ("POST", "/instances")}
LIFE = [
    *("requested", "provisioning", "starting", "ready", "updating", "ready", "paused", "starting", "ready"),
    *("draining", "stopping", "stopped"),
]
# What a life changes at Verda, whatever else it does.
CHANGES = {
    "serverless": {
        ("POST", "/secrets"),
        ("POST", "/container-deployments"),
        ("PATCH", "/container-deployments/*"),
        ("POST", "/container-deployments/*/pause"),
        ("POST", "/container-deployments/*/resume"),
        ("DELETE", "/container-deployments/*"),
        ("DELETE", "/secrets/*"),
    },
    "dedicated": {
        ("POST", "/scripts"),
        ("POST", "/instances"),
        ("PUT", "/instances"),
        ("DELETE", "/scripts/*"),
    },
}
# A container is made once; a machine for the start, the update and the resume.
CREATED = {"serverless": 1, "dedicated": 3}


class Killed:
    """A worker that dies at each kind of change: before the first one is done, and after the next one."""

    def __init__(self, verda: FakeVerda, celery: CeleryWorker) -> None:
        self.verda, self.celery = verda, celery
        self.deaths: list[tuple[str, str, bool]] = []
        self.created = self.most_machines = 0
        self._lock, self._is_dead = threading.Lock(), False
        verda.at_call = self._at_call

    def _at_call(self, request: Request, is_done: bool) -> bool:
        call = (request.method, shape(request.path))
        if request.method == "GET" or request.path.startswith("/oauth2"):
            return False
        with self._lock:
            self.created += is_done and call in CREATIONS
            death = (*call, is_done)
            # It dies after a call only where it has died before one of the kind.
            if self._is_dead or death in self.deaths or (is_done and (*call, False) not in self.deaths):
                return self._is_dead
            self.deaths.append(death)
            self._is_dead = True
            self.celery.kill()
            return True

    def deaths_when(self, *, is_done: bool) -> set[tuple[str, str]]:
        return {(method, path) for method, path, was_done in self.deaths if was_done is is_done}

    def until(self, so: Callable[[], bool], what: str) -> None:
        give_up_at = time.monotonic() + STEP_SECONDS
        while not so():
            assert time.monotonic() < give_up_at, f"{what}; killed at {self.deaths}"
            machines = [one for one in self.verda.instances.values() if one.status not in OVER]
            self.most_machines = max(self.most_machines, len(machines))
            assert len(self.verda.containers) <= 1
            if self._is_dead:
                self._start_again()
                give_up_at = time.monotonic() + STEP_SECONDS
            time.sleep(0.05)

    def _start_again(self) -> None:
        # Who died had a claim, which would run out in minutes.
        Deployment.objects.exclude(claimed_until=None).update(
            claimed_until=timezone.now() - timedelta(seconds=1)
        )
        self._is_dead = False
        self.celery.start_again()


@pytest.fixture
def verda(settings: Any, fake_worker: FakeWorker) -> Iterator[FakeVerda]:
    with FakeVerda(speed=SPEED) as fake:
        set_up(settings, fake, fake_worker)
        yield fake


@pytest.fixture
def killed(verda: FakeVerda, fake_worker: FakeWorker, tmp_path: Path) -> Iterator[Killed]:
    environment = {
        "DATABASE_URL": test_database_url(),
        "VAR_DIR": str(tmp_path),
        "VERDA_CLIENT_ID": verda.client_id,
        "VERDA_CLIENT_SECRET": verda.client_secret,
        "VERDA_BASE_URL": verda.base_url,
        "VERDA_INFERENCE_KEY": verda.inference_key,
        "VERDA_WORKER_PORT": str(urlsplit(fake_worker.url).port),
        "VERDA_CALLS_A_SECOND": "1000",
        "DEFAULT_WORKER_IMAGE": IMAGE,
    }
    with CeleryWorker(Surroundings(tmp_path, {**os.environ, **environment})) as celery:
        yield Killed(verda, celery)


@pytest.mark.parametrize("kind", ["serverless", "dedicated"])
def test_celery_killed_at_each_change(verda: FakeVerda, killed: Killed, kind: str) -> None:
    deployment = deployed(kind, secrets={"LICENSE": "s3cret"})

    def until(state: State) -> None:
        def arrived() -> bool:
            deployment.refresh_from_db()
            assert deployment.state != State.FAILED, deployment.error_message
            return deployment.state == state

        killed.until(arrived, f"waited for {state}")

    until(State.READY)
    newer = Hardware(image="ghcr.io/acme/worker:2.0.0", environment={"A": "1"}, secrets={"LICENSE": "other"})
    services.update_deployment(deployment, hardware=newer)
    until(State.READY)
    services.pause_deployment(deployment)
    killed.until(lambda: not Run.objects.filter(ended_at=None).exists(), "waited for nothing to run")
    deployment.refresh_from_db()
    services.start_deployment(deployment)
    until(State.READY)
    services.stop_deployment(deployment)
    until(State.STOPPED)

    kept = verda.state.kept
    killed.until(
        lambda: not any([verda.containers, verda.instances, kept["secrets"], kept["scripts"]]),
        "waited for nothing to be left",
    )
    assert states_of(deployment) == LIFE
    assert killed.created == CREATED[kind]
    assert killed.most_machines <= 2  # the older one while the newer starts
    before, after = (killed.deaths_when(is_done=is_done) for is_done in (False, True))
    assert before == after >= CHANGES[kind]
    assert not Run.objects.filter(ended_at=None).exists()
    bill = verda.bill()
    assert bill > 0
    verda.clock.advance(3600)
    assert verda.bill() == bill
