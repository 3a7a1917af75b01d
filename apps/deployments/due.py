"""Which deployments a task should look at now: of a thousand that sleep, none."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.deployments import patience
from apps.deployments.models import Deployment, Run, Worker
from apps.deployments.states import SERVING, State

# One that its provider scales is looked at this often while it is ready and quiet.
QUIET_SECONDS = 30.0
USED_LATELY_SECONDS = 60.0
SETTLED_SECONDS = 60.0
_RESTING = (State.ASLEEP, State.PAUSED)


def deployments(there: Mapping[str, Set[UUID]]) -> list[UUID]:
    """`there` is what each provider has: one that sleeps and is gone from there is due as well."""
    now = timezone.now()
    alive = Worker.objects.filter(deployment=OuterRef("pk")).exclude(state=Worker.State.LOST)
    running = Run.objects.filter(deployment=OuterRef("pk"), ended_at=None)
    rests = (
        Q(state__in=_RESTING, state_changed_at__lt=now - timedelta(seconds=SETTLED_SECONDS))
        & ~Exists(alive)
        & ~Exists(running)
    )
    used = Q(last_used_at__gt=now - timedelta(seconds=USED_LATELY_SECONDS))
    quiet = (
        Q(
            state=State.READY,
            provider=Deployment.Provider.VERDA,
            kind=Deployment.Kind.SERVERLESS,
            looked_at__gt=now - timedelta(seconds=QUIET_SECONDS),
        )
        & ~used
        & ~Exists(running)
    )
    # Of those whose provider is let alone for now, workers can still be asked.
    spared = patience.waiting() & ~(Q(state__in=SERVING) & Exists(alive.exclude(url="")))
    moving = Deployment.objects.active().exclude(rests).exclude(quiet).exclude(spared)
    due = list(moving.order_by("id").values_list("pk", flat=True))
    for provider, ids in there.items():
        resting = Deployment.objects.filter(rests, provider=provider).exclude(spared)
        due += [pk for pk in resting.values_list("pk", flat=True) if pk not in ids and _should_be(provider)]
    return due


def _should_be(provider: str) -> bool:
    """On this machine, what sleeps is nothing; elsewhere it is kept by name."""
    return provider != Deployment.Provider.LOCAL
