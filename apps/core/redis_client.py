"""Connections to Redis that say at once when it is away.

redis-py retries with a growing pause by default; here the callers know better what to do without Redis.
"""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 1.0
_TIMEOUTS: dict[str, Any] = {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS}


def connect() -> redis.Redis:
    """For one short piece of work: use it as a context manager."""
    return redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **_TIMEOUTS)


def connect_async(url: str, *, max_connections: int) -> redis.asyncio.Redis:
    """For the life of a process, on its event loop.

    One retry, at once: a connection that lay idle while Redis was restarted is found dead only when used.
    """
    return redis.asyncio.Redis.from_url(
        url, retry=AsyncRetry(NoBackoff(), 1), max_connections=max_connections, **_TIMEOUTS
    )
