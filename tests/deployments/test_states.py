"""The table of states, pair by pair, and that a row only ever moves along it."""

from __future__ import annotations

import itertools

import pytest

from apps.deployments import services
from apps.deployments.models import Deployment
from apps.deployments.states import TRANSITIONS, State

# Written out once more, so that a change of the table is a decision and not a slip.
ALLOWED = {
    "requested": "provisioning stopping failed",
    "provisioning": "starting stopping failed",
    "starting": "ready asleep degraded draining failed",
    "ready": "asleep degraded updating paused draining failed",
    "asleep": "starting ready updating paused draining failed",
    "degraded": "ready asleep updating paused draining failed",
    "updating": "ready asleep degraded draining failed",
    "paused": "starting stopping failed",
    "draining": "stopping failed",
    "stopping": "stopped failed",
    "stopped": "requested",
    "failed": "requested stopping",
}
PAIRS = list(itertools.product(State, State))


def a_deployment_that_is(state: State) -> Deployment:
    words = "Why." if state is State.FAILED else ""
    return Deployment.objects.create(
        name="one", engine="tone", state=state, error_code=words.lower(), error_message=words
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("current", "following"), PAIRS)
def test_every_pair(current: State, following: State) -> None:
    deployment = a_deployment_that_is(current)
    changed_at = deployment.state_changed_at
    step = {"to": following, "reason": "Because.", "error_code": "why", "error_message": "Why."}
    if following.value in ALLOWED[current.value].split():
        services.transition(deployment, **step)
        [event] = deployment.events.all()
        assert (event.from_state, event.to_state, event.reason) == (current, following, "Because.")
    else:
        with pytest.raises(services.IllegalTransition):
            services.transition(deployment, **step)
        assert not deployment.events.exists()
        following = current
    assert deployment.state == following
    deployment.refresh_from_db()
    assert deployment.state == following
    assert (deployment.state_changed_at > changed_at) == (deployment.events.count() == 1)


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(State)
