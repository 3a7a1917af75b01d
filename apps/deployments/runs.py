"""What runs at providers, written down as it is seen: the ground of every figure of cost."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils import timezone

from apps.deployments.models import Deployment, Run
from apps.deployments.providers.base import Observation, ReplicaState


def note(deployment: Deployment, observation: Observation | None) -> None:
    """Begins the runs of what is there and ends those of what is there no more. Safe to repeat."""
    if observation is None:
        _note(deployment, ())
    elif not deployment.sleeps_alone:
        alive = [one.id for one in observation.replicas if one.state is not ReplicaState.CRASHED]
        _note(deployment, alive)
    elif observation.billed is not None:
        _note(deployment, observation.billed)


def running(deployment: Deployment) -> QuerySet[Run]:
    return deployment.runs.filter(ended_at=None)


def _note(deployment: Deployment, there: Collection[str]) -> None:
    now = timezone.now()
    known = set(running(deployment).values_list("replica", flat=True))
    Run.objects.bulk_create(
        [
            Run(
                deployment=deployment,
                organization_id=deployment.organization_id,
                replica=replica,
                gpu=deployment.gpu,
                price_per_hour=deployment.price_per_hour,
                is_estimated=deployment.sleeps_alone,
                started_at=now,
            )
            for replica in dict.fromkeys(there)
            if replica not in known
        ],
        ignore_conflicts=True,
    )
    if known - set(there):
        running(deployment).exclude(replica__in=there).update(ended_at=now, updated_at=now)
