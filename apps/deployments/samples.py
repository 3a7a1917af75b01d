"""How deployments were, minute by minute: what charts of them are drawn from."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.core import partitions
from apps.core.ids import uuid7_floor
from apps.deployments.demand import told_lately
from apps.deployments.models import Deployment, Sample

KEPT = timedelta(days=30)


def note(deployment: Deployment, *, ready: int) -> None:
    """One in each minute in which somebody looks at it; `ready` are its workers that can speak."""
    now = timezone.now()
    if deployment.looked_at is not None and _minute(deployment.looked_at) == _minute(now):
        return
    told = told_lately(deployment, now)
    Sample.objects.create(
        deployment=deployment,
        state=deployment.state,
        ready=ready,
        desired=deployment.desired_replicas,
        in_flight=told.in_flight,
        waiting=told.waiting,
    )


def recent(deployment_id: UUID, *, minutes: int) -> list[Sample]:
    """Oldest first."""
    since = uuid7_floor(timezone.now() - timedelta(minutes=minutes))
    return list(Sample.objects.filter(deployment_id=deployment_id, id__gte=since).order_by("id"))


def keep() -> None:
    """Months are made ahead, and what is old is forgotten."""
    now = timezone.now()
    partitions.ensure_partitions(connection, Sample._meta.db_table, now=now)
    Sample.objects.filter(id__lt=uuid7_floor(now - KEPT)).delete()


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
