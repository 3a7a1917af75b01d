"""A provider that fails is asked ever less often, until it answers or somebody wants something new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from apps.deployments import due, reconciliation, services
from apps.deployments.models import Deployment, Worker
from apps.deployments.patience import LONGEST_ASKED_FOR_SECONDS, wait_seconds
from apps.deployments.providers.base import ProviderError
from apps.deployments.states import State
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import look, requested
from tests.deployments.tables import deployment as a_deployment
from tests.deployments.tables import worker as a_worker
from tests.deployments.verda.life import Life, is_ready, lived
from tests.deployments.verda.platform import deployed
from tests.fakes.verda.wire import Request

pytestmark = pytest.mark.django_db
BEAT_SECONDS = 5.0
CREATION = ("POST", "/container-deployments")


@pytest.fixture
def life(settings: Any, fake_worker: FakeWorker) -> Iterator[Life]:
    with lived(settings, fake_worker, "serverless") as made:
        yield made


def beats(life: Life, seconds: float) -> None:
    """What the schedule does in that time."""
    for _ in range(round(seconds / BEAT_SECONDS)):
        for pk in due.deployments({}):
            reconciliation.reconcile_deployment(pk, by_schedule=True)
        life.passes(BEAT_SECONDS)
    life.deployment.refresh_from_db()


def asked(life: Life, method: str, path: str) -> list[float]:
    """When such a call comes in, from now on."""
    moments: list[float] = []

    def notes(request: Request, is_done: bool) -> bool:
        if not is_done and (request.method, request.path) == (method, path):
            moments.append(life.verda.clock.now())
        return False

    life.verda.at_call = notes
    return moments


def apart(moments: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(moments)]


def test_a_provider_that_is_away_is_asked_less_and_less_often(life: Life) -> None:
    life.deployment = deployed()
    life.verda.faults.add("/container-deployments", "POST", times=1000, kind="unavailable")
    moments = asked(life, *CREATION)
    beats(life, 300)
    assert apart(moments)[:6] == [5, 10, 20, 40, 60, 60]
    assert "Verda answered 503" in life.deployment.error_message
    assert life.deployment.provider_failures == len(moments)


def test_all_is_as_before_once_it_answers(life: Life) -> None:
    life.deployment = deployed()
    life.verda.faults.add("/container-deployments", "POST", times=3, kind="unavailable")
    moments = asked(life, *CREATION)
    beats(life, 60)
    assert apart(moments) == [5, 10, 20]
    assert (life.deployment.provider_failures, life.deployment.provider_waits_until) == (0, None)
    beats(life, 60)
    assert is_ready(life)


def test_what_a_provider_asks_for_is_honoured(life: Life) -> None:
    life.deployment = deployed()
    life.verda.faults.add("/container-deployments", "POST", kind="rate_limited", seconds=90)
    moments = asked(life, *CREATION)
    beats(life, 120)
    assert apart(moments) == [90]


@pytest.mark.parametrize(
    ("failures", "retry_after", "seconds"),
    [(1, None, 5), (4, None, 40), (5, None, 60), (1000, None, 60), (1, 3, 5), (2, 90, 90), (1, 1e9, 600)],
)
def test_seconds_to_wait(failures: int, retry_after: float | None, seconds: float) -> None:
    error = ProviderError("No.", code="no", permanent=False, retry_after_seconds=retry_after)
    assert wait_seconds(failures, error) == seconds <= LONGEST_ASKED_FOR_SECONDS


def test_what_somebody_wants_is_done_at_once(life: Life) -> None:
    life.deployment = deployed()
    life.verda.faults.add("/container-deployments", "POST", times=5, kind="unavailable")
    beats(life, 80)
    assert not due.deployments({})
    services.stop_deployment(life.deployment)
    assert due.deployments({}) == [life.deployment.pk]
    assert life.deployment.provider_failures == 0
    life.verda.faults.clear()
    beats(life, 5)
    assert life.deployment.state == State.STOPPED


def test_a_look_that_fails_after_it_does_not_undo_that(life: Life) -> None:
    """The look had begun before somebody wanted something."""
    life.deployment = deployed()
    life.verda.faults.add("/container-deployments", "POST", times=5, kind="unavailable")
    beats(life, 10)

    before = Deployment.objects.get()
    assert before.provider_failures > 0
    patience = reconciliation.Patience(before, by_schedule=False)
    patience.failed(ProviderError("No.", code="no", permanent=False))
    services.stop_deployment(life.deployment)
    patience.remember()
    assert due.deployments({}) == [life.deployment.pk]


def test_its_workers_are_asked_as_ever(settings: Any, fake_worker: FakeWorker) -> None:
    with lived(settings, fake_worker, "dedicated") as life:
        life.deployment = deployed("dedicated")
        life.until(is_ready)
        good, life.verda.tokens.client_secret = life.verda.tokens.client_secret, "another-one"
        life.verda.tokens.revoke_all()
        moments = asked(life, "POST", "/oauth2/token")
        beats(life, 290)
        seen_at = life.deployment.workers.get().last_seen_at
        assert seen_at is not None
        assert timezone.now() - seen_at == timedelta(seconds=BEAT_SECONDS)
        assert life.verda.clock.now() - moments[-1] > BEAT_SECONDS
        assert len(set(moments)) == 8
        assert (life.deployment.state, life.deployment.error_code) == (State.READY, "unauthorized_request")
        life.verda.tokens.client_secret = good
        beats(life, 90)
        assert (life.deployment.state, life.deployment.error_code) == (State.READY, "")


@pytest.mark.parametrize(
    ("state", "url", "is_looked_at"),
    [
        (State.PROVISIONING, "", False),
        (State.STOPPING, "http://127.0.0.1:9", False),
        (State.STARTING, "", False),
        (State.READY, "http://127.0.0.1:9", True),
    ],
)
def test_it_is_looked_at_where_there_are_workers_to_ask(state: State, url: str, is_looked_at: bool) -> None:
    later = timezone.now() + timedelta(seconds=30)
    one = a_deployment(provider="verda", state=state, provider_failures=3, provider_waits_until=later)
    a_worker(one, url=url, state=Worker.State.READY if url else Worker.State.STARTING)
    assert due.deployments({}) == ([one.pk] if is_looked_at else [])


def test_one_that_sleeps_and_is_gone_waits_as_well() -> None:
    later = timezone.now() + timedelta(seconds=30)
    long_ago = timezone.now() - timedelta(hours=1)
    one = a_deployment(provider="verda", state=State.ASLEEP, state_changed_at=long_ago)
    assert due.deployments({"verda": set()}) == [one.pk]
    Deployment.objects.update(provider_failures=3, provider_waits_until=later)
    assert due.deployments({"verda": set()}) == []


def test_this_machine_is_asked_as_often_as_ever(fake_supervisor: FakeSupervisor) -> None:
    deployment = requested()
    fake_supervisor.refusal = {"code": "busy", "message": "Come back later.", "permanent": False}
    look(deployment)
    assert (deployment.error_message, deployment.provider_failures) == ("Come back later.", 0)
