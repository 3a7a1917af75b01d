"""Work on long texts beside the event loop, one after another: all of it wants the interpreter's one lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from gpu_worker.errors import WorkerError
from gpu_worker.fair_pool import FairPool
from gpu_worker.protocol import ErrorCode

_RETRY_SECONDS: Final = 2

T = TypeVar("T")


class Preparation:
    """Runs work in one thread, in which tenants take turns. All methods run on the event loop."""

    def __init__(self, most: int) -> None:
        """Of each tenant at most so many are held, waiting ones included."""
        self._most = most
        self._held: Counter[str] = Counter()
        self._pool = FairPool(1, "text")

    async def run(self, tenant: str, work: Callable[[], T]) -> T:
        """What the work returns. Raises what it raises, and WorkerError where too many of the tenant wait."""
        if self._held[tenant] >= self._most:
            message = "This worker takes in as many long texts of yours as it can; come again in a moment."
            raise WorkerError(ErrorCode.QUEUE_FULL, message, retry_after_seconds=_RETRY_SECONDS)
        self._held[tenant] += 1
        try:
            return await self._pool.run(tenant, work)
        finally:
            self._held[tenant] -= 1
            if not self._held[tenant]:
                del self._held[tenant]

    def close(self) -> None:
        """Leaves what has not begun undone."""
        self._pool.close()
