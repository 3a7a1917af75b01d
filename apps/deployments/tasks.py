"""What Celery does for deployments: look at all on schedule, and at one when something happened to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.db import DatabaseError, OperationalError

from apps.deployments import bills, budgets, demand, due, orphans, prices, reconciliation, samples, shared
from apps.deployments.voices import tell_of_voices

MAX_LOOKS = 8


# The next beat comes soon: a task that waited longer than a few of them has nothing to add.
@shared_task(expires=15, ignore_result=True)
def reconcile() -> None:
    """Looks at every deployment that may need it, and ends what providers run for no deployment."""
    there = orphans.remove_orphans()
    for deployment_id in due.deployments(there):
        reconcile_deployment.delay(str(deployment_id), by_schedule=True)
    tell_of_voices()
    reconciliation.forget_lost_workers()
    demand.forget_old()


@shared_task(expires=25, ignore_result=True)
def watch_budgets() -> None:
    budgets.watch()


@shared_task(expires=600, ignore_result=True)
def sample_prices() -> None:
    """What GPUs cost now, for pages and for new deployments."""
    prices.sample()


@shared_task(
    autoretry_for=(OperationalError,), retry_backoff=30, max_retries=5, expires=3600, ignore_result=True
)
def keep_samples() -> None:
    samples.keep()


@shared_task(expires=3600, ignore_result=True)
def check_bills() -> None:
    """What providers took, beside what was written down; each mail is sent by a task of its own."""
    bills.check_bills()
    for check_id in bills.due_for_mail():
        mail_bill.delay(str(check_id))


# Errors of the mail server are among these.
@shared_task(autoretry_for=(OSError,), retry_backoff=60, retry_backoff_max=3600, max_retries=12)
def mail_bill(check_id: str) -> bool:
    return bills.mail(UUID(check_id))


@shared_task(bind=True, max_retries=MAX_LOOKS, expires=60, ignore_result=True)
def reconcile_deployment(self: Task[..., None], deployment_id: str, by_schedule: bool = False) -> None:
    """One look, and another soon where something is under way or another task was just at it."""
    again_seconds = reconciliation.reconcile_deployment(UUID(deployment_id), by_schedule=by_schedule)
    if again_seconds is not None and self.request.retries < MAX_LOOKS:
        raise self.retry(countdown=again_seconds)


@shared_task(autoretry_for=(DatabaseError,), retry_backoff=1, retry_backoff_max=15, max_retries=20)
def bring_up() -> None:
    """After a start: the shared deployment exists, and no worker of an earlier life gets traffic for long."""
    if settings.DEMO_MODE:
        shared.ensure_shared_deployment()
    reconcile.delay()
    sample_prices.delay()


@worker_ready.connect
def _on_worker_ready(**_: Any) -> None:
    bring_up.delay()
