"""Long texts are worked on one after another, and not without bound."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from gpu_worker.errors import WorkerError
from gpu_worker.preparation import Preparation
from gpu_worker.protocol import ErrorCode


async def test_work_is_done_in_turn_up_to_a_bound() -> None:
    preparation = Preparation(3)
    may_go, done = threading.Event(), []

    def work(name: str) -> str:
        may_go.wait(10)
        done.append((name, threading.current_thread().name))
        return name

    running = [asyncio.create_task(preparation.run("", partial(work, name))) for name in "abc"]
    await asyncio.sleep(0)
    with pytest.raises(WorkerError) as refused:
        await preparation.run("", partial(work, "d"))
    assert (refused.value.code, refused.value.retry_after_seconds) == (ErrorCode.QUEUE_FULL, 2)
    may_go.set()
    assert await asyncio.gather(*running) == ["a", "b", "c"]
    assert [name for name, _ in done] == ["a", "b", "c"]
    assert len({thread for _, thread in done}) == 1
    assert await preparation.run("", partial(work, "d")) == "d"
    preparation.close()


async def test_who_leaves_makes_room() -> None:
    preparation = Preparation(2)
    may_go, done = threading.Event(), []

    def work(name: str) -> None:
        may_go.wait(10)
        done.append(name)

    first, second = (asyncio.create_task(preparation.run("", partial(work, name))) for name in "ab")
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    third = asyncio.create_task(preparation.run("", partial(work, "c")))
    await asyncio.sleep(0)
    may_go.set()
    await asyncio.gather(first, third)
    assert done == ["a", "c"]
    preparation.close()


async def test_a_fault_is_told_to_the_one_who_asked() -> None:
    preparation = Preparation(1)
    with pytest.raises(ZeroDivisionError):
        await preparation.run("", lambda: 1 / 0)
    assert await preparation.run("", lambda: "next") == "next"
    preparation.close()


async def test_no_tenant_waits_for_all_texts_of_another_or_finds_no_room_for_them() -> None:
    preparation = Preparation(3)
    may_go, done = threading.Event(), []

    def work(name: str) -> None:
        may_go.wait(10)
        done.append(name)

    many = [asyncio.create_task(preparation.run("many", partial(work, f"many {n}"))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(WorkerError):
        await preparation.run("many", partial(work, "too many"))
    one = asyncio.create_task(preparation.run("one", partial(work, "one")))
    await asyncio.sleep(0)
    may_go.set()
    await asyncio.gather(one, *many)
    assert done.index("one") <= 2
    preparation.close()
