"""A process that looks is killed at every call that it makes to Verda, before it is done or right after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from apps.deployments import orphans, reconciliation, services
from apps.deployments.models import Deployment, Run, Worker
from apps.deployments.providers import verda_setup
from apps.deployments.specification import Hardware
from apps.deployments.states import State
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import at_once, long_ago, states_of
from tests.deployments.verda.looker import Looker
from tests.deployments.verda.platform import IMAGE, deployed, set_up
from tests.fakes.verda import FakeVerda

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ["serverless", "dedicated"]
OVER = {"deleting", "deleted", "gone"}


@pytest.fixture
def verda(settings: Any, fake_worker: FakeWorker) -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        fake.edge.patience_seconds = 0
        set_up(settings, fake, fake_worker)
        settings.VERDA_ATTEMPTS = 1
        yield fake


@pytest.fixture
def looker(verda: FakeVerda, fake_worker: FakeWorker) -> Iterator[Looker]:
    port = urlsplit(fake_worker.url).port
    with Looker(verda, str(connection.settings_dict["NAME"]), port or 0, IMAGE) as made:
        yield made


def machines(verda: FakeVerda) -> list[Any]:
    return [one for one in verda.instances.values() if one.status not in OVER]


def time_passes(verda: FakeVerda, deployment: Deployment) -> None:
    """Long enough for whatever was begun, at Verda's and at ours, and for lists to be read anew."""
    verda_setup.forget_lists()
    verda.clock.advance(70)
    long_ago(deployment, 100)
    Worker.objects.filter(state="draining").update(state_changed_at=timezone.now() - timedelta(minutes=2))


def killed_until(
    verda: FakeVerda,
    looker: Looker,
    deployment: Deployment,
    so: Callable[[], bool],
    *,
    when_done: bool,
    most: int = 1,
) -> int:
    """Each look is killed at its first call, the next one at its second, until one gets to its end; and so
    on until it is `so`. Returns how many were killed."""
    killed, calls = 0, 1
    for _ in range(400):
        if looker.look(deployment.pk, kill_at=calls, when_done=when_done):
            calls = 1
            deployment.refresh_from_db()
            assert deployment.state != State.FAILED, deployment.error_message
            if so():
                return killed
            time_passes(verda, deployment)
        else:
            killed, calls = killed + 1, calls + 1
            # It has died with its claim, which runs out.
            assert reconciliation.reconcile_deployment(deployment.pk) == reconciliation.BUSY_SECONDS
            lately = timezone.now() - timedelta(seconds=1)
            Deployment.objects.filter(pk=deployment.pk).update(claimed_until=lately)
        assert len(verda.containers) <= 1
        assert len(machines(verda)) <= most
    raise AssertionError(f"stuck in {deployment.state}: {deployment.error_message}")


def nothing_is_left(verda: FakeVerda) -> None:
    verda.at_call = lambda request, is_done: False
    verda_setup.forget_lists()
    orphans.remove_orphans()
    verda.clock.advance(70)
    assert not verda.containers
    assert not verda.instances
    assert not verda.state.kept["secrets"]
    assert not verda.state.kept["scripts"]
    assert not Run.objects.filter(ended_at=None).exists()


def is_in(deployment: Deployment, state: State) -> Callable[[], bool]:
    return lambda: deployment.state == state


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_call_it_is_ready_and_stopped_all_the_same(
    verda: FakeVerda, looker: Looker, kind: str
) -> None:
    deployment = deployed(kind, secrets={"LICENSE": "s3cret"})
    assert killed_until(verda, looker, deployment, is_in(deployment, State.READY), when_done=True) > 10
    services.stop_deployment(deployment)
    time_passes(verda, deployment)
    assert killed_until(verda, looker, deployment, is_in(deployment, State.STOPPED), when_done=True) > 3
    nothing_is_left(verda)
    assert states_of(deployment) == [
        "requested", "provisioning", "starting", "ready", "draining", "stopping", "stopped"
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("when_done", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_call_of_a_whole_life(
    verda: FakeVerda, looker: Looker, kind: str, when_done: bool
) -> None:
    deployment = deployed(kind, secrets={"LICENSE": "s3cret"})

    def until(state: State, most: int = 1) -> None:
        time_passes(verda, deployment)
        so = is_in(deployment, state)
        killed_until(verda, looker, deployment, so, when_done=when_done, most=most)

    until(State.READY)
    newer = Hardware(image="ghcr.io/acme/worker:2.0.0", environment={"A": "1"}, secrets={"LICENSE": "other"})
    services.update_deployment(deployment, hardware=newer)
    until(State.READY, most=2)
    for _ in range(3):  # the older machine goes
        time_passes(verda, deployment)
        looker.look(deployment.pk)
    services.pause_deployment(deployment)
    until(State.PAUSED)
    deployment.refresh_from_db()
    services.start_deployment(deployment)
    until(State.READY)
    services.stop_deployment(deployment)
    until(State.STOPPED)
    nothing_is_left(verda)


@pytest.mark.parametrize("kind", KINDS)
def test_many_look_at_the_same_at_once(verda: FakeVerda, kind: str) -> None:
    deployment = deployed(kind)
    ids = [deployment.pk] * 3

    def all_look() -> None:
        looks = at_once(len(ids), lambda: reconciliation.reconcile_deployment(deployment.pk))
        assert not [one for one in looks if isinstance(one, Exception)]
        deployment.refresh_from_db()
        time_passes(verda, deployment)

    for state in (State.READY, State.STOPPED):
        for _ in range(12):
            all_look()
            if deployment.state == state:
                break
        assert deployment.state == state
        if state == State.READY:
            services.stop_deployment(deployment)
            time_passes(verda, deployment)
    assert states_of(deployment) == [
        "requested", "provisioning", "starting", "ready", "draining", "stopping", "stopped"
    ]  # fmt: skip
    made = "/container-deployments" if kind == "serverless" else "/instances"
    assert verda.calls.count(made, "POST") == 1
    nothing_is_left(verda)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_processes_look_at_the_same_at_once(
    verda: FakeVerda, looker: Looker, fake_worker: FakeWorker, kind: str
) -> None:
    deployment = deployed(kind)
    database, port = str(connection.settings_dict["NAME"]), urlsplit(fake_worker.url).port or 0
    with Looker(verda, database, port, IMAGE) as second, Looker(verda, database, port, IMAGE) as third:
        turns = cycle([looker, second, third])
        for state in (State.READY, State.STOPPED):
            for _ in range(12):
                assert at_once(3, lambda: next(turns).look(deployment.pk)) == [True] * 3
                deployment.refresh_from_db()
                time_passes(verda, deployment)
                if deployment.state == state:
                    break
            assert deployment.state == state
            if state == State.READY:
                services.stop_deployment(deployment)
                time_passes(verda, deployment)
    made = "/container-deployments" if kind == "serverless" else "/instances"
    assert verda.calls.count(made, "POST") == 1
    assert len(states_of(deployment)) == 7
    nothing_is_left(verda)
