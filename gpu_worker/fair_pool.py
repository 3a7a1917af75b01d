"""Threads for short work whose callers, by tenant, take turns."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")


class FairPool:
    """Each tenant with work waiting is due one piece of it in turn: none waits for another's heap.

    `run` is called on an event loop.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._pool: Final = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock: Final = threading.Lock()
        # The tenant that is due comes first.
        self._waiting: dict[str, deque[tuple[Future[Any], Callable[[], Any]]]] = {}

    async def run(self, tenant: str, work: Callable[[], T]) -> T:
        """What the work returns; raises what it raises. Left undone if its caller is cancelled first."""
        done: Future[T] = Future()
        with self._lock:
            self._waiting.setdefault(tenant, deque()).append((done, work))
        self._pool.submit(self._do_next)
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Leaves what has not begun undone, and cancels its callers."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            left = [done for line in self._waiting.values() for done, _ in line]
            self._waiting.clear()
        for done in left:
            done.cancel()

    def _do_next(self) -> None:
        with self._lock:
            if not self._waiting:
                return
            tenant = next(iter(self._waiting))
            line = self._waiting.pop(tenant)
            done, work = line.popleft()
            if line:
                self._waiting[tenant] = line
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the caller's to handle
            done.set_exception(error)
