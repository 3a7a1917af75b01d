"""POST /api/deployments/<id>/<step>: what may follow what, and who comes too late."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.deployments.models import Deployment
from apps.deployments.states import State
from tests.cast import acme, alice
from tests.deployments.managed import FIELDS, STEPS, one_in, path_of
from tests.deployments.steps import at_once
from tests.keys.api_client import ApiClient, error_of

__all__ = ["acme", "alice"]

ALLOWED = [
    ("start", State.STOPPED, "requested"),
    ("start", State.FAILED, "requested"),
    ("start", State.ASLEEP, "starting"),
    ("start", State.PAUSED, "starting"),
    ("stop", State.READY, "draining"),
    ("stop", State.REQUESTED, "stopping"),
    ("stop", State.PAUSED, "stopping"),
    ("stop", State.FAILED, "stopping"),
    ("pause", State.READY, "paused"),
    ("pause", State.ASLEEP, "paused"),
    ("resume", State.PAUSED, "starting"),
    ("restart", State.READY, "updating"),
    ("restart", State.DEGRADED, "updating"),
    ("sleep", State.READY, "asleep"),
    ("wake", State.ASLEEP, "starting"),
]
REFUSED = [
    ("start", State.READY),
    ("start", State.DRAINING),
    ("stop", State.STOPPED),
    ("stop", State.STOPPING),
    ("pause", State.STOPPED),
    ("pause", State.STARTING),
    ("resume", State.ASLEEP),
    ("resume", State.STOPPED),
    ("resume", State.READY),
    ("restart", State.PAUSED),
    ("restart", State.FAILED),
    ("sleep", State.ASLEEP),
    ("sleep", State.PAUSED),
    ("wake", State.PAUSED),
    ("wake", State.FAILED),
    ("wake", State.READY),
]


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme)


@pytest.mark.parametrize(("step", "state", "after"), ALLOWED)
def test_a_step_that_is_allowed(
    acme: Organization, api: ApiClient, step: str, state: State, after: str
) -> None:
    made = one_in(acme, state)
    response = api.post(path_of(made, step), {})
    assert response.status_code == 200
    told = response.json()
    assert (set(told), told["id"], told["state"], told["error"]) == (FIELDS, str(made.pk), after, None)
    event = made.events.get()
    assert (event.from_state, event.to_state, event.actor) == (state, after, None)


@pytest.mark.parametrize(("step", "state"), REFUSED)
def test_a_step_that_is_not(acme: Organization, api: ApiClient, step: str, state: State) -> None:
    made = one_in(acme, state)
    error = error_of(api.post(path_of(made, step), {}), 409)
    assert error["code"] == "illegal_transition"
    assert state.value in error["message"]
    made.refresh_from_db()
    assert (made.state, made.events.count()) == (state, 0)


def test_how_many_are_wanted_follows(acme: Organization, api: ApiClient) -> None:
    made = one_in(acme, State.READY)
    wanted = [api.post(path_of(made, step), {}).json()["replicas"]["desired"] for step in ("pause", "resume")]
    assert wanted == [0, 1]


def test_no_more_are_started_than_may_run(acme: Organization, api: ApiClient, settings: Any) -> None:
    settings.LIMIT_DEPLOYMENTS = 1
    one_in(acme, State.READY)
    stopped = one_in(acme, State.STOPPED, "stopped")
    assert error_of(api.post(path_of(stopped, "start"), {}), 409)["code"] == "too_many_deployments"


def test_a_step_takes_no_body_and_no_other_method(acme: Organization, api: ApiClient) -> None:
    made = one_in(acme, State.READY)
    for step in STEPS:
        assert error_of(api.get(path_of(made, step)), 405)["code"] == "method_not_allowed"
    assert error_of(api.post(path_of(made, "explode"), {}), 404)
    assert api.post(path_of(made, "stop"), b"no JSON").status_code == 200


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_who_comes_too_late_is_told_so(acme: Organization) -> None:
    made, api = one_in(acme, State.READY), ApiClient(acme)
    answers: list[Any] = []

    def stop() -> None:
        try:
            answers.append(api.post(path_of(made, "stop"), {}))
        finally:
            connection.close()

    late = threading.Thread(target=stop)
    with transaction.atomic():
        Deployment.objects.filter(pk=made.pk).update(state=State.PAUSED)
        late.start()
        deadline = time.monotonic() + 10
        while not waits_for_a_lock() and time.monotonic() < deadline:
            time.sleep(0.01)
    late.join(10)
    assert error_of(answers[0], 409)["code"] == "state_changed"
    made.refresh_from_db()
    assert made.state == State.PAUSED


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_wins(acme: Organization) -> None:
    made, api = one_in(acme, State.READY), ApiClient(acme)
    answers: list[Any] = at_once(5, lambda: api.post(path_of(made, "sleep"), {}))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    lost = {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409}
    assert lost <= {"state_changed", "illegal_transition"}
    assert made.events.count() == 1
