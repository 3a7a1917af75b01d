"""An event loop in a thread of its own, for callers that have none."""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")
Last = Callable[[], Coroutine[Any, Any, None]]

STOP_SECONDS = 5.0


class LoopThread:
    """Runs until `stop`, and never keeps the process from its end."""

    def __init__(self, name: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._loop = asyncio.SelectorEventLoop(self._selector)
        self._lock = threading.Lock()
        self._last: Last | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Raises `RuntimeError` once it is stopped. What is under way then is cancelled."""
        with self._lock:
            if self._last is not None:
                work.close()
                raise RuntimeError("stopped")
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self, last: Last) -> None:
        """Cancels what is under way, does `last`, and waits for that."""
        with self._lock:
            if self._last is None:
                self._last = last
                self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)

    def abandon(self) -> None:
        """In a process that was forked off: makes what it shares with its parent unusable here.

        Its thread is gone, but its sockets and its epoll are the parent's too. Were they written to or
        deregistered here, as finalizers do, the parent's requests would break; were they kept open, no
        connection that the parent closes would end.
        """
        shared = [key.fd for key in self._selector.get_map().values()]
        epoll = getattr(self._selector, "fileno", None)  # other kinds of selector share nothing
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in [*shared, epoll()] if epoll else shared:
            os.dup2(nothing, descriptor, inheritable=False)
        os.close(nothing)
        # What is finalized at the end of this process would be reported as forgotten.
        self._loop.set_exception_handler(lambda loop, context: None)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _end(self) -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if self._last is not None:
            await self._last()
