"""How many replicas a deployment should have, by what its requests ask of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from apps.deployments import services
from apps.deployments.demand import told_lately
from apps.deployments.models import Deployment


@dataclass(frozen=True, slots=True)
class Need:
    """`requests` are those spoken and those that wait now; `used_at` is when there last were any."""

    requests: int
    used_at: datetime | None

    def replicas(self, deployment: Deployment) -> int:
        needed = math.ceil(self.requests / deployment.concurrency)
        return min(max(needed, deployment.min_replicas), deployment.max_replicas)


def need_of(deployment: Deployment, now: datetime) -> Need:
    """By what the processes of the speech API told of it in the last seconds."""
    told = told_lately(deployment, now)
    return Need(told.in_flight + told.waiting, deployment.last_used_at)


def adjust(deployment: Deployment, *, scales_alone: bool) -> None:
    """One look at what there is to do, and the step that is due by the deployment's delays.

    Where the provider `scales_alone`, only whether it should sleep is ours to say.
    """
    if not deployment.scales:
        return
    now = timezone.now()
    need = need_of(deployment, now)
    replicas = need.replicas(deployment)
    if scales_alone:
        replicas = min(replicas, 1)
    if replicas > deployment.desired_replicas:
        _busy(deployment, replicas, need, now)
    elif replicas < deployment.desired_replicas:
        _idle(deployment, replicas, need, now)
    elif deployment.busy_since or deployment.idle_since:
        _remember(deployment, busy_since=None, idle_since=None)


def _busy(deployment: Deployment, replicas: int, need: Need, now: datetime) -> None:
    since = deployment.busy_since or now
    if now - since < timedelta(seconds=deployment.scale_up_delay_seconds):
        _remember(deployment, busy_since=since, idle_since=None)
        return
    reason = f"{need.requests} requests at once: {replicas} replicas from {deployment.desired_replicas}."
    services.want_replicas(deployment, replicas, reason=reason)


def _idle(deployment: Deployment, replicas: int, need: Need, now: datetime) -> None:
    if deployment.idle_since is None:
        _remember(deployment, busy_since=None, idle_since=now, idle_replicas=replicas)
    most = max(deployment.idle_replicas, replicas)
    since = deployment.idle_since or now
    if most == 0 and need.used_at is not None:
        since = max(since, need.used_at)  # what began and ended between two looks
    if now - since < timedelta(seconds=deployment.scale_down_delay_seconds):
        if most != deployment.idle_replicas:
            _remember(deployment, idle_replicas=most)
        return
    idle_for = f"for {deployment.scale_down_delay_seconds} s"
    if most == 0:
        services.sleep_deployment(deployment, reason=f"Nobody used it {idle_for}.")
    elif most < deployment.desired_replicas:
        reason = f"No more than {most} of {deployment.desired_replicas} replicas were needed {idle_for}."
        services.want_replicas(deployment, most, reason=reason)
    else:
        _remember(deployment, idle_since=now, idle_replicas=replicas)


def _remember(deployment: Deployment, **values: object) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(**values)
    for name, value in values.items():
        setattr(deployment, name, value)
