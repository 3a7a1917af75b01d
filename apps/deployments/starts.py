"""How long a deployment takes to start, by its own timeline."""

from __future__ import annotations

from itertools import pairwise

from apps.deployments.models import Deployment
from apps.deployments.states import State

EVENTS_READ = 100
STARTS_REMEMBERED = 5


def remember(deployment: Deployment) -> None:
    """Keeps on the row what the timeline tells, for those who read the row every second."""
    deployment.start_seconds = seconds_to_start(deployment)
    Deployment.objects.filter(pk=deployment.pk).update(start_seconds=deployment.start_seconds)


def seconds_to_start(deployment: Deployment) -> float | None:
    """The longest of its last few wakes: whoever comes back after that finds it ready.

    Before it was ever woken, of its other starts, which may have had images to fetch; `None` before those.
    """
    wakes: list[float] = []
    starts: list[float] = []
    for ready, starting in pairwise(deployment.events.order_by("-id")[:EVENTS_READ]):
        if (starting.to_state, ready.to_state) != (State.STARTING, State.READY):
            continue
        took = (ready.created_at - starting.created_at).total_seconds()
        (wakes if starting.from_state == State.ASLEEP else starts).append(took)
    return max((wakes or starts)[:STARTS_REMEMBERED], default=None)
