"""Keeping, removing and sweeping what a history holds; for threads, tasks, pages and API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.accounts.models import Organization
from apps.core import media
from apps.core.ids import uuid7_time
from apps.tts.history.models import MEDIA_FOLDER, HistoryItem

logger = structlog.get_logger(__name__)

_BATCH: Final = 200
# A file is written just before its row.
_ROW_FOLLOWS: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """A request that was answered whole; `id` is that of its usage record."""

    id: UUID
    organization_id: UUID
    key_id: UUID | None
    request_id: str
    mode: str
    surface: str
    model: str
    voice: str
    format: str
    options: dict[str, Any]
    text: str
    audio_ms: int


def keep(heard: Heard, audio: bytes) -> None:
    """`audio` is a whole file, empty where it was too large. Nothing is kept where history is off by now."""
    days = Organization.objects.values_list("history_days", flat=True).get(pk=heard.organization_id)
    if not days:
        return
    item = HistoryItem(
        **{name: getattr(heard, name) for name in Heard.__slots__},
        characters=len(heard.text),
        size_bytes=len(audio),
        expires_at=uuid7_time(heard.id) + timedelta(days=days),
    )
    if audio:
        media.save(item.media_key, audio)
    item.save(force_insert=True)


def delete_item(*, item: HistoryItem) -> None:
    """At once, for everybody. Links to its audio that were given out lead nowhere."""
    # First the file: while the row is there, a kill in between loses nothing from sight.
    media.delete(item.media_key)
    item.delete()


@transaction.atomic
def delete_all(*, organization: Organization) -> int:
    """Takes every item from sight and its text from the database; answers how many were to be seen.

    The files follow within minutes, by a task: there may be hundreds of thousands.
    """
    count: int = HistoryItem.objects.shown(organization).count()
    items = HistoryItem.objects.for_organization(organization)
    items.update(text="", options={}, expires_at=timezone.now())
    transaction.on_commit(_remove_soon)
    return count


def remove_expired() -> int:
    """Rows and files whose days are over; answers how many. Safe to run twice at once, and to be killed."""
    removed = _remove(HistoryItem.objects.filter(expires_at__lte=timezone.now()))
    keeping = Organization.objects.filter(history_days__gt=0)
    # Days that were shortened since hold for what was there.
    for organization_id, days in keeping.values_list("id", "history_days"):
        removed += _remove(HistoryItem.objects.filter(organization_id=organization_id).older_than(days))
    return removed


def sweep() -> int:
    """Removes files that have no row; answers how many."""
    old = timezone.now() - _ROW_FOLLOWS
    removed = 0
    written = (key for key, written_at in media.listed(MEDIA_FOLDER) if written_at < old)
    while keys := list(islice(written, _BATCH)):
        by_id = {key.rpartition("/")[2]: key for key in keys}
        known = HistoryItem.objects.filter(pk__in=by_id).values_list("pk", flat=True)
        for key in by_id.keys() - {str(item_id) for item_id in known}:
            media.delete(by_id[key])
            removed += 1
    return removed


def _remove(items: QuerySet[Any]) -> int:
    removed = 0
    while batch := list(items.only("id", "organization_id")[:_BATCH]):
        for item in batch:
            # First the file: a row that is left behind by a kill leads to it again.
            media.delete(item.media_key)
        removed += HistoryItem.objects.filter(pk__in=[item.pk for item in batch]).delete()[0]
    return removed


def _remove_soon() -> None:
    # By name: the task calls this module. Lost, it costs minutes: the schedule looks by itself.
    try:
        current_app.send_task("apps.tts.tasks.remove_history", expires=600)
    except OperationalError as error:
        logger.warning("history not removed yet, the broker is away", error=type(error).__name__)
