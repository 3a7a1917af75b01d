"""Lines of a deployment's timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from apps.accounts.models import User
from apps.deployments import events
from apps.deployments.models import Deployment, DeploymentEvent


@dataclass(frozen=True, slots=True)
class ByKey:
    """An API key did it, known by its prefix."""

    prefix: str


# Nobody: the platform by itself.
Actor: TypeAlias = User | ByKey | None


def write(deployment: Deployment, *, from_state: str, to_state: str, reason: str, by: Actor) -> None:
    """One line, in the transaction of what it tells of."""
    DeploymentEvent.objects.create(
        deployment=deployment,
        from_state=from_state,
        to_state=to_state,
        reason=reason,
        actor=by if isinstance(by, User) else None,
        key_prefix=by.prefix if isinstance(by, ByKey) else "",
    )
    if to_state != from_state:
        events.entered(deployment, from_state=from_state, to_state=to_state, reason=reason)
