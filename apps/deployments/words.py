"""What people are told of a deployment: what it is doing, what they can do with it, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from apps.deployments.models import Deployment
from apps.deployments.states import AT_REST, State, is_allowed

# On its way to another state by itself.
MOVING: Final = frozenset(
    {State.REQUESTED, State.PROVISIONING, State.STARTING, State.UPDATING, State.DRAINING, State.STOPPING}
)
_DOING: Final[Mapping[State, str]] = {
    State.REQUESTED: "It is asked for in a moment.",
    State.PROVISIONING: "Its provider is finding room for it.",
    State.STARTING: "Its workers are loading what they speak with.",
    State.READY: "Requests are spoken at once.",
    State.ASLEEP: "Nothing runs and nothing is charged. The first request wakes it.",
    State.DEGRADED: "Fewer workers are ready than it should have. It is being mended.",
    State.UPDATING: "New workers start before the old ones end: requests go on.",
    State.PAUSED: "Nothing runs until somebody resumes it, whatever is asked meanwhile.",
    State.DRAINING: "What is being spoken is spoken to its end.",
    State.STOPPING: "Its machines are handed back.",
    State.STOPPED: "Nothing runs. It can be started again.",
    State.FAILED: "Nothing runs. It is not tried again by itself.",
}
_REMEDIES: Final = {
    "worker_crashed": "Its last words say why. Change what they name, then start it again.",
    "worker_incompatible": "Its image is of another version than this platform. Deploy a newer image.",
    "worker_unreachable": "It is asked every few seconds. Restart it if it stays silent.",
    "workers_missing": "More are being started. Nothing is to be done.",
    "provider_unreachable": "It goes on as soon as the provider answers.",
    "unreachable": "It goes on as soon as the provider answers.",
    "unauthorized_request": "Those who run this platform must set credentials that its provider accepts.",
    "not_set_up": "Those who run this platform must set credentials for its provider.",
    "forbidden_action": "Those who run this platform must allow its credentials to do this.",
    "insufficient_funds": "Those who run this platform must pay in at its provider. Then start it again.",
    "no_capacity": "It is asked for every minute or sooner. Other hardware or another location may be free.",
    "still_there": "It is ended again every few seconds. Those who run this platform can end it by hand.",
}
_TAKES_TIME: Final = frozenset({"", "worker_starting", "workers_missing"})
_ANY_REMEDY: Final = "Start it again; if that fails too, deploy on other hardware or ask those who run this."


@dataclass(frozen=True, slots=True)
class Action:
    """A button; `verb` is the name of what `views` then does."""

    verb: str
    label: str
    icon: str

    @property
    def url_name(self) -> str:
        return f"deployment_{self.verb}"


# What is said once it is begun.
SAYS: Final[Mapping[str, str]] = {
    "start": "is starting",
    "sleep": "goes to sleep",
    "pause": "is paused",
    "restart": "is being restarted",
    "stop": "is being stopped",
}
_START = {
    State.STOPPED: Action("start", "Start", "play"),
    State.FAILED: Action("start", "Start again", "rotate"),
    State.ASLEEP: Action("start", "Wake", "sun"),
    State.PAUSED: Action("start", "Resume", "play"),
}
_OTHERS = (
    (Action("sleep", "Sleep", "moon"), (State.ASLEEP,)),
    (Action("pause", "Pause", "pause"), (State.PAUSED,)),
    (Action("restart", "Restart", "rotate"), (State.UPDATING,)),
    (Action("stop", "Stop", "stop"), (State.DRAINING, State.STOPPING)),
)


def doing(deployment: Deployment) -> str:
    if deployment.deleted_at is not None:
        return "It is deleted as soon as nothing is left of it."
    return _DOING[State(deployment.state)]


def is_stuck(deployment: Deployment) -> bool:
    """Whether something other than the time that it takes keeps it from getting on, or soon would."""
    return deployment.state not in AT_REST and deployment.error_code not in _TAKES_TIME


def first_action(deployment: Deployment) -> Action | None:
    """What brings one back that does not run."""
    return None if deployment.deleted_at is not None else _START.get(State(deployment.state))


def other_actions(deployment: Deployment) -> list[Action]:
    """What the table of states allows, and what makes sense of it."""
    state = State(deployment.state)
    if deployment.deleted_at is not None or state in AT_REST:
        return []
    return [
        action
        for action, following in _OTHERS
        if any(is_allowed(state, to) for to in following) and _is_sensible(action.verb, deployment)
    ]


def updated(deployment: Deployment) -> str:
    """What follows once another image or variables are set."""
    if deployment.state in AT_REST | {State.ASLEEP, State.PAUSED}:
        return f"{deployment.name} takes it up when it starts the next time."
    return f"{deployment.name} is being updated: new workers are ready before the old ones end."


def what_to_do(code: str) -> str:
    return _REMEDIES.get(code, _ANY_REMEDY)


def _is_sensible(verb: str, deployment: Deployment) -> bool:
    match verb:
        case "sleep":
            return deployment.kind == Deployment.Kind.SERVERLESS
        case "restart":
            return deployment.state != State.ASLEEP
        case "stop":
            return deployment.state != State.DRAINING
    return True
