"""Has Celery do now what its schedule does later by itself: a notice that is lost costs that time."""

from __future__ import annotations

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)


def send(task: str, *arguments: str, expires_seconds: float) -> None:
    """By the task's name, for tasks call the services that send notices."""
    try:
        current_app.send_task(task, args=arguments, expires=expires_seconds)
    except OperationalError as error:
        logger.warning("notice not sent, the broker is away", task=task, error=type(error).__name__)
