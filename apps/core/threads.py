"""Work that blocks, database and media, beside the event loop of a speech process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from django.db import DatabaseError, close_old_connections, connection

from apps.core.errors import Unavailable

logger = structlog.get_logger(__name__)

Result = TypeVar("Result")


class BlockingThreads:
    """A few threads of one purpose. Each piece of work gives its database connection back at its end."""

    def __init__(self, count: int, *, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, work: Callable[[], Result]) -> Result:
        """What it answers. Raises what it raises, and `Unavailable` where the database is away."""

        def call() -> Result:
            close_old_connections()
            try:
                return work()
            finally:
                connection.close()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except DatabaseError as error:
            logger.warning("database away", error=type(error).__name__)
            raise Unavailable("The database is away; nothing was charged.", code="database_away") from error

    def stop(self) -> None:
        """Waits for nothing: what is begun ends by itself."""
        self._pool.shutdown(wait=False)
