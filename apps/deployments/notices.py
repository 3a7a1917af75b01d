"""Has Celery look at deployments now. A notice that is lost costs seconds: the schedule looks by itself."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)

EXPIRES_SECONDS = 60


def look_soon(deployment_id: UUID) -> None:
    """At one deployment, something having happened to it."""
    _send("apps.deployments.tasks.reconcile_deployment", str(deployment_id))


def look_at_all_soon() -> None:
    """At every deployment, and at what the providers have."""
    _send("apps.deployments.tasks.reconcile")


def _send(task: str, *arguments: str) -> None:
    # By name: the tasks call the services that send these notices.
    try:
        current_app.send_task(task, args=arguments, expires=EXPIRES_SECONDS)
    except OperationalError as error:
        logger.warning("notice not sent, the broker is away", task=task, error=type(error).__name__)
