"""The deployment that everybody may use, and what of all deployments together can speak now."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from apps.core.errors import Conflict
from apps.deployments.models import Deployment, Worker
from apps.deployments.services import StateChanged, create_deployment, start_deployment
from apps.deployments.states import SERVING, State

SHARED_NAME = "shared-cpu"
SHARED_ENGINE = Deployment.Engine.CPU


def ensure_shared_deployment() -> Deployment:
    """The deployment that everybody may use: made at the first start, tried again after a failure.

    One that staff stopped stays stopped. Safe to call from several processes at once.
    """
    deployment: Deployment | None = Deployment.objects.shared().filter(name=SHARED_NAME).first()
    if deployment is None:
        try:
            return create_deployment(
                organization=None,
                name=SHARED_NAME,
                engine=SHARED_ENGINE,
                reason="First start of the platform.",
            )
        except Conflict:
            found: Deployment = Deployment.objects.shared().get(name=SHARED_NAME)
            deployment = found
    if deployment.state == State.FAILED:
        try:
            start_deployment(deployment, reason="Tried again at the start of the platform.")
        except StateChanged:
            deployment.refresh_from_db()
    return deployment


def forget_workers(*, provider: str, seen_before: datetime) -> int:
    """Takes traffic from a provider's workers that were last seen before then; returns how many."""
    return (
        Worker.objects.filter(deployment__provider=provider)
        .exclude(state=Worker.State.LOST)
        .filter(Q(last_seen_at=None) | Q(last_seen_at__lt=seen_before), created_at__lt=seen_before)
        .update(state=Worker.State.LOST, message="Its provider was started anew.", updated_at=timezone.now())
    )


def speech_status() -> str:
    """Whether a request can be spoken now: ready, asleep (a request would wake a worker), or none."""
    if Worker.objects.filter(state=Worker.State.READY, deployment__state__in=SERVING).exists():
        return "ready"
    return "asleep" if Deployment.objects.filter(state=State.ASLEEP).exists() else "none"
