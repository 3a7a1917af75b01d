"""Tells the database what this process has for each deployment, for those who scale and put to sleep."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q, Sum
from django.utils import timezone

from apps.deployments.models import Demand, Deployment
from apps.deployments.slots import Slots
from apps.deployments.states import State

logger = structlog.get_logger(__name__)

TELL_SECONDS = 2.0
USED_RESOLUTION_SECONDS = 5.0
KEPT_SECONDS = 3600.0
# Those that could come to speak what waits.
_AWAITED = frozenset(State) - {State.PAUSED, State.FAILED}


@dataclass(slots=True)
class Count:
    in_flight: int = 0
    waiting: int = 0

    def __bool__(self) -> bool:
        return bool(self.in_flight or self.waiting)


@dataclass(frozen=True, slots=True)
class Report:
    """What there is now by deployment, and which were used since the last one."""

    counts: Mapping[UUID, Count] = field(default_factory=dict)
    used: frozenset[UUID] = frozenset()


class Reporter:
    """Of one process, called on its event loop; `tell` may run in a thread."""

    def __init__(self) -> None:
        self.process = uuid4()
        self._told: frozenset[UUID] = frozenset()
        self._looked_at = time.monotonic()

    def look(self, slots: Slots) -> Report:
        """What is to be told, with zeros for what there was before."""
        now = time.monotonic()
        counts: dict[UUID, Count] = {}
        used = set()
        for target, load in slots.loads():
            if load.in_flight:
                counts.setdefault(target.deployment_id, Count()).in_flight += load.in_flight
            if load.in_flight or load.taken_at >= self._looked_at:
                used.add(target.deployment_id)
        for waiter in slots.queue:
            able = slots.table.deployments_for(waiter.need)
            awaited = next((known for known in able if known.state in _AWAITED), None)
            if awaited is not None:
                counts.setdefault(awaited.id, Count()).waiting += 1
                used.add(awaited.id)
        self._looked_at = now
        over = {deployment_id: Count() for deployment_id in self._told - counts.keys()}
        return Report(counts | over, frozenset(used))

    def tell(self, report: Report) -> None:
        """Writes it down, where there is anything to tell. A database that is away hears the next one."""
        if not report.counts and not report.used:
            return
        try:
            write(self.process, report)
        except (DatabaseError, InterfaceError) as error:
            logger.info("demand not told", error=type(error).__name__)
        else:
            self._told = frozenset(key for key, count in report.counts.items() if count)
        finally:
            connection.close()  # a thread of the executor would keep it for itself


def write(process: UUID, report: Report) -> None:
    now = timezone.now()
    there = set(Deployment.objects.filter(pk__in=report.counts).values_list("pk", flat=True))
    rows = [
        Demand(
            deployment_id=deployment_id,
            process=process,
            in_flight=count.in_flight,
            waiting=count.waiting,
            told_at=now,
        )
        for deployment_id, count in report.counts.items()
        if deployment_id in there
    ]
    Demand.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["deployment", "process"],
        update_fields=["in_flight", "waiting", "told_at"],
    )
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(seconds=USED_RESOLUTION_SECONDS))
    # One that sleeps so soon would fall asleep in the midst of its use.
    is_impatient = Q(scale_down_delay_seconds__lt=2 * USED_RESOLUTION_SECONDS)
    Deployment.objects.filter(stale | is_impatient, pk__in=report.used).update(last_used_at=now)


def told_lately(deployment: Deployment, now: datetime) -> Count:
    """What the processes of the speech API, all together, told of it in the last seconds."""
    since = now - timedelta(seconds=Demand.STALE_SECONDS)
    told = deployment.demands.filter(told_at__gte=since).aggregate(
        in_flight=Sum("in_flight", default=0), waiting=Sum("waiting", default=0)
    )
    return Count(**told)


def forget_old() -> None:
    """Of processes that are no more."""
    Demand.objects.filter(told_at__lt=timezone.now() - timedelta(seconds=KEPT_SECONDS)).delete()
