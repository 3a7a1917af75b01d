"""Connections to Redis that say at once when it is away.

redis-py retries with a growing pause by default; here the callers know better what to do without Redis.
"""

from __future__ import annotations

from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 1.0
TIMEOUTS: Final[dict[str, Any]] = {
    "socket_connect_timeout": TIMEOUT_SECONDS,
    "socket_timeout": TIMEOUT_SECONDS,
}


def connect() -> redis.Redis:
    """For one short piece of work: use it as a context manager."""
    return redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **TIMEOUTS)
