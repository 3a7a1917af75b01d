"""The Celery app under the runner: pool processes and the embedded beat end with the worker."""

from typing import Any

from celery.signals import beat_embedded_init, worker_process_init

from apps.core.processes import die_with_parent
from voiceflow.celery import app

__all__ = ["app"]


@worker_process_init.connect
@beat_embedded_init.connect
def _end_with_the_worker(**_signal: Any) -> None:
    die_with_parent()
