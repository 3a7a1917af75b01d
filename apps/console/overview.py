"""What the first page answers in five seconds: is it working, how much, how fast, what needs me."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from apps.accounts.models import Organization
from apps.deployments.models import Deployment, Worker
from apps.keys.models import ApiKey
from apps.usage import notices, reports
from apps.usage.models import UsageRecord

DAYS = 30
RECENT = 8
EXPIRY_WARNING = timedelta(days=7)


@dataclass(frozen=True)
class Health:
    """Whether text can become speech now. `tone` is a state with its colour."""

    tone: str
    sentence: str


@dataclass(frozen=True)
class Overview:
    totals: reports.Totals
    days: list[reports.DayUsage]
    recent: list[UsageRecord]
    voice_names: dict[str, str]
    deployments: Sequence[Deployment]
    expiring_keys: Sequence[ApiKey]
    limit_notices: Sequence[notices.Standing]
    health: Health


def overview_of(organization: Organization) -> Overview:
    """Eight queries, whatever the traffic; more where a limit is nearly used or a voice is cloned."""
    selection = reports.select(organization, reports.Period.days(DAYS))
    deployments = _running(organization)
    recent = reports.recent(organization, RECENT)
    return Overview(
        totals=reports.totals(selection),
        days=reports.daily(selection),
        recent=recent,
        voice_names=reports.voice_names(organization, (record.voice for record in recent)),
        deployments=deployments,
        expiring_keys=_expiring(organization),
        limit_notices=notices.standing(organization),
        health=_health(deployments),
    )


def _running(organization: Organization) -> list[Deployment]:
    """Deployments that can speak for the organization or will soon, each with its ready workers counted."""
    ready = Count("workers", filter=Q(workers__state=Worker.State.READY))
    return list(
        Deployment.objects.speakable_by(organization)
        .kept()
        .exclude(state=Deployment.State.STOPPED)
        .annotate(ready_workers=ready)
        .order_by("organization_id", "name")
    )


def _expiring(organization: Organization) -> list[ApiKey]:
    """Keys that stop within a week and that nobody has rotated yet."""
    soon = timezone.now() + EXPIRY_WARNING
    keys = ApiKey.objects.for_organization(organization).usable()
    return list(keys.filter(expires_at__lt=soon, rotated_to=None).order_by("expires_at"))


def _health(deployments: list[Deployment]) -> Health:
    states = {deployment.state for deployment in deployments}
    state = Deployment.State
    if any(deployment.ready_workers for deployment in deployments):  # type: ignore[attr-defined]
        return Health("ready", "Speech is ready.")
    if state.ASLEEP in states:
        return Health("asleep", "Speech is asleep; the first request wakes it.")
    if states & {state.REQUESTED, state.PROVISIONING, state.STARTING, state.UPDATING}:
        return Health("starting", "Speech is starting.")
    return Health("failed", "No deployment can speak at the moment.")
