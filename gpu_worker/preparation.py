"""Work on long texts beside the event loop, one after another: all of it wants the interpreter's one lock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from gpu_worker.errors import WorkerError
from gpu_worker.protocol import ErrorCode

_RETRY_SECONDS: Final = 2

P = ParamSpec("P")
T = TypeVar("T")


class Preparation:
    """Runs work in one thread in the order in which it came. All methods run on the event loop."""

    def __init__(self, most: int) -> None:
        """At most so many are held, waiting ones included."""
        self._most = most
        self._held = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="text")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the work returns. Raises what it raises, and WorkerError where too many wait."""
        if self._held >= self._most:
            message = "This worker takes in as many long texts as it can; come again in a moment."
            raise WorkerError(ErrorCode.QUEUE_FULL, message, retry_after_seconds=_RETRY_SECONDS)
        self._held += 1
        try:
            call = partial(work, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._held -= 1

    def close(self) -> None:
        """Leaves what has not begun undone."""
        self._pool.shutdown(wait=False, cancel_futures=True)
