"""Tenants take turns at the threads for short work."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gpu_worker.fair_pool import FairPool


class Blocked:
    """A pool of one thread that is held up, so that what waits for it is known."""

    def __init__(self) -> None:
        self.pool = FairPool(1, "test")
        self.done: list[str] = []
        self._may_go = threading.Event()
        self._blocking = asyncio.create_task(self.pool.run("", lambda: self._may_go.wait(10)))

    def ask(self, tenant: str, name: str) -> asyncio.Task[None]:
        """Work that takes note of itself."""
        return asyncio.create_task(self.pool.run(tenant, lambda: self.done.append(name)))

    async def go(self, *tasks: asyncio.Task[None]) -> None:
        """Lets all run to its end."""
        self._may_go.set()
        await asyncio.gather(self._blocking, *tasks)


async def test_tenants_take_turns_however_much_waits() -> None:
    blocked = Blocked()
    many = [blocked.ask("many", f"many {number}") for number in range(4)]
    few = [blocked.ask("few", f"few {number}") for number in range(2)]
    one = blocked.ask("one", "one 0")
    await asyncio.sleep(0)
    await blocked.go(*many, *few, one)
    assert blocked.done == ["many 0", "few 0", "one 0", "many 1", "few 1", "many 2", "many 3"]
    blocked.pool.close()


async def test_work_of_a_cancelled_caller_is_left_undone() -> None:
    blocked = Blocked()
    first, second = blocked.ask("a", "first"), blocked.ask("a", "second")
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await blocked.go(second)
    assert blocked.done == ["second"]
    blocked.pool.close()


async def test_a_fault_is_told_to_the_one_who_asked() -> None:
    pool = FairPool(1, "test")
    with pytest.raises(ZeroDivisionError):
        await pool.run("", lambda: 1 / 0)
    assert await pool.run("", lambda: "next") == "next"
    pool.close()


async def test_closing_cancels_those_who_wait() -> None:
    blocked = Blocked()
    waiting = blocked.ask("a", "never")
    await asyncio.sleep(0)
    blocked.pool.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await blocked.go()
    assert blocked.done == []
