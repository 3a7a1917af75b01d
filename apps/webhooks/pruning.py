"""The log is kept for a time; whole months go as partitions."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from apps.core import partitions
from apps.core.ids import uuid7_floor
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event

BATCH: Final = 5_000
# What refers goes before what it refers to.
_TABLES: Final[tuple[type[models.Model], ...]] = (Attempt, Delivery, Event)


def prune() -> int:
    """Makes months ahead, forgets what is older than WEBHOOK_LOG_DAYS; answers how many rows went singly."""
    now = timezone.now()
    begin = now - timedelta(days=settings.WEBHOOK_LOG_DAYS)
    removed = 0
    for model in _TABLES:
        table = model._meta.db_table
        partitions.ensure_partitions(connection, table, now=now)
        partitions.drop_partitions(connection, table, before=begin)
        removed += _remove(model, uuid7_floor(begin))
    Endpoint.objects.filter(deleted_at__lt=begin).delete()
    return removed


def _remove(model: type[models.Model], before: UUID) -> int:
    """In short transactions, so that nobody waits."""
    rows = model._default_manager.all()
    removed = 0
    while ids := list(rows.filter(pk__lt=before).values_list("pk", flat=True)[:BATCH]):
        removed += rows.filter(pk__in=ids)._raw_delete(rows.db)
    return removed
