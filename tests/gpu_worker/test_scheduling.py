"""The queue whose requests take turns."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.scheduling import FairQueue, QueueFullError


@dataclass(eq=False)
class Job:
    """A request of so many pieces."""

    name: str
    pieces_left: int
    has_begun: bool = False
    is_ahead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


def work_off(queue: FairQueue[Job], turns: int) -> list[str]:
    """Takes that many turns and says whose they were."""
    taken = []
    for _ in range(turns):
        job = queue.take()
        assert job is not None
        taken.append(job.name)
        job.has_begun = True
        job.pieces_left -= 1
        queue.give_back(job, 0.01)
    return taken


def test_requests_take_turns_by_piece() -> None:
    queue: FairQueue[Job] = FairQueue(10, threads=1)
    for job in (Job("long", 4), Job("short", 1), Job("middle", 2)):
        queue.submit(job)
    assert work_off(queue, 7) == ["long", "short", "middle", "long", "middle", "long", "long"]
    assert queue.counts() == (0, 0)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_nobody_waits_longer_than_one_piece_of_each_other(sizes: list[int]) -> None:
    queue: FairQueue[Job] = FairQueue(len(sizes), threads=1)
    for number, size in enumerate(sizes):
        queue.submit(Job(str(number), size))
    taken = work_off(queue, sum(sizes))
    for number, size in enumerate(sizes):
        turns = [at for at, name in enumerate(taken) if name == str(number)]
        assert len(turns) == size
        assert turns[0] == number
        assert all(later - earlier <= len(sizes) for earlier, later in pairwise(turns))


def test_a_full_queue_refuses_and_says_when_to_come_again() -> None:
    queue: FairQueue[Job] = FairQueue(2, threads=1)
    queue.submit(Job("a", 1))
    queue.submit(Job("b", 100))
    with pytest.raises(QueueFullError) as full:
        queue.submit(Job("c", 1))
    assert full.value.retry_after_seconds == 1
    work_off(queue, 1)
    queue.submit(Job("c", 1))


def test_the_wait_grows_with_what_is_queued_and_how_slow_pieces_are() -> None:
    queue: FairQueue[Job] = FairQueue(2, threads=1)
    slow = Job("slow", 100)
    queue.submit(slow)
    queue.submit(Job("other", 50))
    for _ in range(40):
        assert queue.take() is not None
        queue.give_back(slow, 2.0)
    with pytest.raises(QueueFullError) as full:
        queue.submit(Job("c", 1))
    assert 100 <= full.value.retry_after_seconds <= 200


def test_a_request_whose_reader_lags_sits_out() -> None:
    queue: FairQueue[Job] = FairQueue(3, threads=1)
    lagging, other = Job("lagging", 3, is_ahead=True), Job("other", 2)
    queue.submit(lagging)
    queue.submit(other)
    assert work_off(queue, 3) == ["lagging", "other", "other"]
    queue.resume(lagging)
    assert queue.counts() == (1, 0)
    lagging.is_ahead = False
    queue.resume(lagging)
    assert work_off(queue, 2) == ["lagging", "lagging"]


def test_a_discarded_request_is_gone_wherever_it_is() -> None:
    queue: FairQueue[Job] = FairQueue(3, threads=1)
    waiting, running, lagging = Job("waiting", 2), Job("running", 2), Job("lagging", 2, is_ahead=True)
    queue.submit(lagging)
    work_off(queue, 1)
    queue.submit(running)
    queue.submit(waiting)
    assert queue.take() is running
    for job in (waiting, running, lagging):
        queue.discard(job)
    queue.give_back(running, 0.01)
    lagging.is_ahead = False
    queue.resume(lagging)
    assert queue.counts() == (0, 0)
    queue.submit(Job("next", 1))
    assert work_off(queue, 1) == ["next"]


def test_waiting_and_active_are_counted_apart() -> None:
    queue: FairQueue[Job] = FairQueue(3, threads=1)
    queue.submit(Job("a", 2))
    queue.submit(Job("b", 2))
    assert queue.counts() == (0, 2)
    work_off(queue, 1)
    assert queue.counts() == (1, 1)


def test_threads_share_the_work_and_go_home() -> None:
    queue: FairQueue[Job] = FairQueue(50, threads=4)
    jobs = [Job(str(number), 20) for number in range(50)]
    clashes: list[str] = []
    done = threading.Semaphore(0)

    def work() -> None:
        while (job := queue.take()) is not None:
            if not job.lock.acquire(blocking=False):
                clashes.append(job.name)
                continue
            job.pieces_left -= 1
            finished = not job.pieces_left
            job.lock.release()
            queue.give_back(job, 0.0)
            if finished:
                done.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for job in jobs:
        queue.submit(job)
    for _ in jobs:
        assert done.acquire(timeout=10)
    queue.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert not clashes
    assert [job.pieces_left for job in jobs] == [0] * 50
