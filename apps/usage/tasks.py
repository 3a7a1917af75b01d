from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.db import OperationalError, connection
from django.utils import timezone

from apps.core import partitions
from apps.usage import notices, reconciler, rollups, thresholds
from apps.usage.models import UsageRecord


@shared_task
def reconcile() -> int:
    return reconciler.reconcile()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=30, max_retries=5)
def keep_partitions() -> list[str]:
    return partitions.ensure_partitions(connection, UsageRecord._meta.db_table, now=timezone.now())


@shared_task
def roll_up() -> int:
    """Sums up, notices limits that were reached, and has each mail that is due sent by a task of its own."""
    steps = rollups.roll_up()
    thresholds.notice()
    for notice_id in notices.due_for_mail():
        mail_notice.delay(str(notice_id))
    return steps


@shared_task
def mail_notice(notice_id: str) -> bool:
    """Fails where the mail server does; `roll_up` asks again until it is sent."""
    return notices.mail(UUID(notice_id))


@shared_task
def forget_hours() -> int:
    return rollups.forget_hours()
