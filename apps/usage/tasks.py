from __future__ import annotations

from celery import shared_task
from django.db import connection
from django.utils import timezone

from apps.core import partitions
from apps.usage import reconciler, rollups
from apps.usage.models import UsageRecord


@shared_task
def reconcile() -> int:
    return reconciler.reconcile()


@shared_task
def keep_partitions() -> list[str]:
    return partitions.ensure_partitions(connection, UsageRecord._meta.db_table, now=timezone.now())


@shared_task
def roll_up() -> int:
    return rollups.roll_up()


@shared_task
def forget_hours() -> int:
    return rollups.forget_hours()
