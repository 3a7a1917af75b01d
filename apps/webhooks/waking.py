"""Asks Celery to look at an endpoint: once for all that asks for it before anybody has looked."""

from __future__ import annotations

from uuid import UUID

import redis
import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from apps.core.redis_client import shared

logger = structlog.get_logger(__name__)

DELIVER = "apps.webhooks.tasks.deliver"
# A call that waited longer has nothing to add: the sweep calls again.
EXPIRES_SECONDS = 60
# For how long one call stands for all others, should it be lost.
STANDS_SECONDS = 5


def wake(endpoint_id: UUID) -> None:
    """Soon somebody looks at what is due there; without Redis that is the sweep."""
    try:
        is_first = shared().set(_key(endpoint_id), "1", nx=True, ex=STANDS_SECONDS)
    except redis.RedisError as error:
        logger.warning("endpoint not woken, Redis is away", error=type(error).__name__)
        return
    if is_first:
        call(endpoint_id)


def call(endpoint_id: UUID, *, in_seconds: float = 0) -> None:
    """Asks for a look without regard to others that were asked for."""
    try:
        current_app.send_task(
            DELIVER,
            args=[str(endpoint_id)],
            countdown=in_seconds or None,
            expires=EXPIRES_SECONDS + in_seconds,
        )
    except OperationalError as error:
        logger.warning("endpoint not woken, the broker is away", error=type(error).__name__)


def heard(endpoint_id: UUID) -> None:
    """Somebody looks from now on: whoever asks later is to be heard again."""
    try:
        shared().delete(_key(endpoint_id))
    except redis.RedisError as error:
        logger.info("call not taken back, Redis is away", error=type(error).__name__)


def _key(endpoint_id: UUID) -> str:
    return f"webhooks:called:{endpoint_id}"
