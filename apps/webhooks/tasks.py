"""What Celery does for webhooks, in threads of a process of its own: receivers are slow, and many."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import OperationalError

from apps.webhooks import delivering, health, pruning, sweeping


# Its queue is named in the settings, as is that of the sweep.
@shared_task(ignore_result=True, acks_late=False)
def deliver(endpoint_id: str) -> None:
    """A call that is lost with its process is made up for by the sweep."""
    delivering.deliver(UUID(endpoint_id))


@shared_task(expires=10, ignore_result=True)
def sweep() -> None:
    sweeping.sweep()


@shared_task(ignore_result=True)
def tell_owners(endpoint_id: str) -> None:
    health.tell_owners(UUID(endpoint_id))


@shared_task(
    autoretry_for=(OperationalError,), retry_backoff=30, max_retries=5, expires=3600, ignore_result=True
)
def prune() -> None:
    pruning.prune()


@worker_shutting_down.connect
def _stop(**_signal: Any) -> None:
    """Lanes are given back after the attempts that are under way."""
    delivering.stopping.set()
