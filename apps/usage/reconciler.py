"""Closes the rows of speech processes that died: as cut, charged nothing."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.usage.leases import forget_counters
from apps.usage.models import SpeechProcess, UsageRecord
from apps.usage.places import place_of
from apps.usage.quota import month_of

logger = structlog.get_logger(__name__)

SILENT_AFTER = timedelta(seconds=30)
FORGET_AFTER = timedelta(days=1)


def reconcile(*, include_dead_here: bool = False) -> int:
    """Closes open rows whose process has been silent for 30 s; answers how many.

    A process writes its first heartbeat before its first row, so that an owner without a process row is dead.
    `include_dead_here` takes processes of this machine whose pid is gone without waiting for the silence.
    """
    alive = _alive()
    if include_dead_here:
        alive = alive.exclude(id__in=_dead_here())
    orphaned = UsageRecord.objects.filter(state=UsageRecord.State.OPEN).exclude(
        owner_id__in=alive.values("id")
    )
    places = {
        place_of(organization_id, mode, counted, month_of(record_id))
        for organization_id, mode, key_id, record_id in orphaned.values_list(
            "organization_id", "mode", "key_id", "id"
        )
        for counted in (None, key_id)
    }
    # One statement: a process that starts between two would be taken for a dead one.
    closed: int = orphaned.update(state=UsageRecord.State.CUT, error_code="process_died", closed_at=Now())
    if closed:
        logger.warning("orphaned requests closed", count=closed)
        # The process may have counted in Redis what it was killed before it could write down.
        forget_counters(places)
    SpeechProcess.objects.filter(heartbeat_at__lt=Now() - FORGET_AFTER).delete()
    return closed


def is_alive(owner_id: UUID) -> bool:
    """Whether that speech process has shown life of late; one that just began may not have, yet."""
    return _alive().filter(pk=owner_id).exists()


def _alive() -> QuerySet[SpeechProcess]:
    return SpeechProcess.objects.filter(heartbeat_at__gte=Now() - SILENT_AFTER)


def _dead_here() -> set[UUID]:
    here = SpeechProcess.objects.filter(hostname=socket.gethostname())
    return {process.id for process in here if not _runs(process.pid)}


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
