"""Connections to Redis that say at once when it is away.

redis-py retries with a growing pause by default; here the callers know better what to do without Redis.
"""

from __future__ import annotations

from functools import lru_cache
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


def shared() -> redis.Redis:
    """This process's own, for what is asked so often that a connection each time would cost more than the
    answer; its connections are pooled, made anew after a fork, and never closed by who uses it."""
    return _pooled(settings.REDIS_URL)


@lru_cache(maxsize=1)
def _pooled(url: str) -> redis.Redis:
    # A pooled connection may have been closed at the other end meanwhile: it is made anew, once.
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 1), **TIMEOUTS)
