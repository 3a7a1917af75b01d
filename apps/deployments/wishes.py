"""What a deployment's provider is asked for, from what is written down about it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.deployments.models import Deployment, Worker
from apps.deployments.providers.base import Machine, Wanted
from apps.deployments.states import State

# Routers read their table every second: after this they have noticed that a deployment drains.
ROUTERS_NOTICE_SECONDS = 2.5
DRAIN_DEADLINE_SECONDS = 60.0


def wanted(deployment: Deployment, released: frozenset[str] | None = None) -> Wanted:
    """`released` are those that may go; without it, those that drain and have nothing to do any more."""
    what = Wanted(
        deployment_id=deployment.id,
        name=deployment.name,
        engine=deployment.engine,
        replicas=deployment.desired_replicas,
        generation=deployment.generation,
    )
    if deployment.provider == Deployment.Provider.LOCAL:
        return what  # its supervisor drains by itself, and has but this machine
    return dataclasses.replace(
        what,
        is_paused=deployment.state == State.PAUSED,
        keeps_older=_keeps_older(deployment),
        released=_released(deployment) if released is None else released,
        machine=_machine(deployment),
    )


def _machine(deployment: Deployment) -> Machine:
    return Machine(
        kind=deployment.kind,
        image=deployment.image,
        gpu=deployment.gpu,
        gpu_count=deployment.gpu_count,
        is_spot=deployment.is_spot,
        location=deployment.location,
        environment=tuple(sorted(deployment.environment.items())),
        secrets=tuple(sorted(deployment.secret_values.items())),
        token=deployment.worker_token,
        min_replicas=deployment.min_replicas,
        max_replicas=deployment.max_replicas,
        scale_up_delay_seconds=deployment.scale_up_delay_seconds,
        scale_down_delay_seconds=deployment.scale_down_delay_seconds,
        concurrency=deployment.concurrency,
    )


def draining(deployment: Deployment) -> QuerySet[Worker]:
    return deployment.workers.filter(state=Worker.State.DRAINING)


def _released(deployment: Deployment) -> frozenset[str]:
    """Those that drain and have nothing to do any more, or had their time."""
    now = timezone.now()
    noticed = Q(state_changed_at__lte=now - timedelta(seconds=ROUTERS_NOTICE_SECONDS))
    overdue = Q(state_changed_at__lte=now - timedelta(seconds=DRAIN_DEADLINE_SECONDS))
    return ids(draining(deployment).filter(noticed & (Q(in_flight=0) | overdue)))


def ids(rows: QuerySet[Worker]) -> frozenset[str]:
    return frozenset(rows.values_list("provider_id", flat=True))


def _keeps_older(deployment: Deployment) -> bool:
    """Whether too few of its present generation can speak to do without those before them."""
    ready = deployment.workers.filter(state=Worker.State.READY, generation=deployment.generation)
    return ready.count() < deployment.desired_replicas
