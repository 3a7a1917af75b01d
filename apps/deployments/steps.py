"""The steps that people have a deployment take, by the words of the API and the console."""

from __future__ import annotations

from apps.deployments import services
from apps.deployments.models import Deployment
from apps.deployments.states import State
from apps.deployments.timeline import Actor


def wake(deployment: Deployment, *, by: Actor = None) -> None:
    """Starts one that sleeps, and no other. Raises as `services.start_deployment`."""
    _require_state(deployment, State.ASLEEP, "wake")
    services.start_deployment(deployment, by=by, reason="Woken.")


def resume(deployment: Deployment, *, by: Actor = None) -> None:
    """Starts one that is paused, and no other. Raises as `services.start_deployment`."""
    _require_state(deployment, State.PAUSED, "resume")
    services.start_deployment(deployment, by=by, reason="Resumed.")


def _require_state(deployment: Deployment, state: State, step: str) -> None:
    if deployment.state != state:
        raise services.IllegalTransition(
            f"Only a deployment that is {state.value} can {step}; {deployment.name} is {deployment.state}."
        )
