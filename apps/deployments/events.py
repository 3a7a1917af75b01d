"""The events of an organization's own deployments, one for each state, and of its budget."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Final

from apps.deployments.models import Budget, Deployment
from apps.deployments.states import State
from apps.webhooks import catalogue, outbox
from apps.webhooks.catalogue import EventType, identifier, one_of, optional_text, record, text, whole

_MEANINGS: Final = {
    State.REQUESTED: "A deployment was asked for, or asked for again.",
    State.PROVISIONING: "Its provider was told to run it.",
    State.STARTING: "Its machines are there, and start.",
    State.READY: "It speaks.",
    State.ASLEEP: "It has no replica, costs nothing, and wakes with the next request.",
    State.DEGRADED: "Some of its replicas are missing or do not answer.",
    State.UPDATING: "It is being replaced by what was asked for, without a gap.",
    State.PAUSED: "It takes no requests until it is resumed.",
    State.DRAINING: "It takes no more requests; those under way are finished.",
    State.STOPPING: "Its machines are being given back.",
    State.STOPPED: "Its machines are gone, and cost nothing.",
    State.FAILED: "It could not go on; the reason says why and what to do.",
}
_DATA = record(
    deployment_id=identifier("The deployment."),
    name=text("What it is called."),
    provider=one_of("Where it runs.", Deployment.Provider.values),
    kind=one_of("As what it runs.", Deployment.Kind.values),
    engine=text("What speaks there."),
    gpu=text("Of the catalogue of GPUs; empty for none."),
    state=one_of("The state it is in now.", State.values),
    previous_state=optional_text("The state before; null for a new one."),
    reason=text("Why."),
)


def _type(state: State, meaning: str) -> EventType:
    example = {
        "deployment_id": "0197b3a2-4a77-7f30-b1d5-92c6e40f8a1b",
        "name": "narration",
        "provider": "verda",
        "kind": "serverless",
        "engine": "chatterbox",
        "gpu": "RTX A6000",
        "state": state.value,
        "previous_state": None if state == State.REQUESTED else State.STARTING.value,
        "reason": meaning,
    }
    return EventType(name=f"deployment.{state.value}", meaning=meaning, data=_DATA, example=example)


BY_STATE = MappingProxyType({state: _type(state, meaning) for state, meaning in _MEANINGS.items()})
BUDGET_REACHED = EventType(
    name="budget.threshold_reached",
    meaning="Of the month's budget for deployments 80 % is spent; or with what is about to be spent all of "
    "it, where it was chosen that deployments are stopped then.",
    data=record(
        threshold=whole("80 or 100, in per cent."),
        monthly_usd=text("The budget, in US dollars."),
        spent_usd=text("Spent in this UTC month, in US dollars."),
        stops={"type": "boolean", "description": "Whether deployments are stopped when it is used up."},
    ),
    example={"threshold": 80, "monthly_usd": "200.00", "spent_usd": "160.42", "stops": True},
)


def register() -> None:
    catalogue.register(*BY_STATE.values(), BUDGET_REACHED)


def entered(deployment: Deployment, *, from_state: str, to_state: str, reason: str) -> None:
    """A shared deployment is nobody's: nobody is told."""
    if deployment.organization_id is None:
        return
    told = {
        "deployment_id": str(deployment.pk),
        "name": deployment.name,
        "provider": deployment.provider,
        "kind": deployment.kind,
        "engine": deployment.engine,
        "gpu": deployment.gpu,
        "state": str(to_state),
        "previous_state": str(from_state) or None,
        "reason": reason,
    }
    outbox.emit(BY_STATE[State(to_state)].name, organization_id=deployment.organization_id, data=told)


def budget_reached(budget: Budget, *, threshold: int, spent: Decimal) -> None:
    told = {
        "threshold": threshold,
        "monthly_usd": str(budget.monthly_usd),
        "spent_usd": str(spent.quantize(Decimal("0.01"))),
        "stops": budget.stops,
    }
    outbox.emit(BUDGET_REACHED.name, organization_id=budget.organization_id, data=told)
