"""The Redis of the test session, and a way to be without it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import redis.asyncio
from django.conf import settings
from redis.asyncio.connection import parse_url

from tests.cuttable import Cuttable, cuttable


def client() -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(settings.REDIS_URL)


@asynccontextmanager
async def redis_behind_a_wire() -> AsyncIterator[tuple[str, Cuttable]]:
    """The URL of Redis through a wire that can be cut."""
    parts = parse_url(settings.REDIS_URL)
    password = urlsplit(settings.REDIS_URL).password
    host, port = parts.get("path") or parts.get("host", "127.0.0.1"), parts.get("port", 6379)
    async with cuttable(str(host), int(port)) as wire:
        login = f":{password}@" if password else ""
        yield f"redis://{login}127.0.0.1:{wire.port}/{parts.get('db', 0)}", wire
