"""Work that shares the event loop."""

from __future__ import annotations

import asyncio
import time

from gpu_worker.pacing import turn

WORKERS = 100


async def test_much_work_at_once_lets_others_in_between() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await turn()
        end = time.perf_counter() + 0.002
        while time.perf_counter() < end:
            pass
        done.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(WORKERS)]
    seen = []
    while len(done) < WORKERS:
        await asyncio.sleep(0)
        seen.append(len(done))
    await asyncio.gather(*tasks)
    # An iteration has room for some 5 of them; without turns all of them pass in one.
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) < WORKERS / 2
    assert done == sorted(done)


async def test_little_work_does_not_wait() -> None:
    passed = False

    def next_iteration() -> None:
        nonlocal passed
        passed = True

    asyncio.get_running_loop().call_soon(next_iteration)
    await turn()
    assert not passed


def test_a_loop_that_ended_leaves_nothing_behind() -> None:
    for _ in range(2):
        asyncio.run(turn())
