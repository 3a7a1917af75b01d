"""A deployment for one caller alone, for a while."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from apps.deployments.models import Deployment


def claim(deployment_id: UUID, *, seconds: float) -> Deployment | None:
    """The deployment, for this caller alone until `release` or for that long; None where another has it."""
    # The database's clock: those of the machines that claim may differ.
    free = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    claimed = Deployment.objects.filter(free, pk=deployment_id).update(
        claimed_until=Now() + timedelta(seconds=seconds)
    )
    return Deployment.objects.get(pk=deployment_id) if claimed else None


def release(deployment: Deployment) -> None:
    """Gives a claim back; one that ran out and was taken by another stays the other's."""
    Deployment.objects.filter(pk=deployment.pk, claimed_until=deployment.claimed_until).update(
        claimed_until=None, looked_at=Now()
    )
