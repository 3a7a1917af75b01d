"""The queue whose requests take turns."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.scheduling import FairQueue, QueueFullError


@dataclass(eq=False)
class Job:
    """A request of so many pieces, each of one character."""

    name: str
    characters_left: int
    tenant: str = ""
    has_begun: bool = False
    is_ahead: bool = False
    runs_dry_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


def work_off(queue: FairQueue[Job], turns: int) -> list[str]:
    """Takes that many turns and says whose they were."""
    taken = []
    for _ in range(turns):
        job = queue.take()
        assert job is not None
        taken.append(job.name)
        job.has_begun = True
        job.characters_left -= 1
        queue.give_back(job, 0.01)
    return taken


def test_requests_take_turns_by_piece() -> None:
    queue: FairQueue[Job] = FairQueue(10, threads=1)
    for job in (Job("long", 4), Job("short", 1), Job("middle", 2)):
        queue.submit(job)
    assert work_off(queue, 7) == ["long", "short", "middle", "long", "middle", "long", "long"]
    assert queue.counts() == (0, 0)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_nobody_waits_longer_than_others_take_turns(sizes: list[int]) -> None:
    queue: FairQueue[Job] = FairQueue(len(sizes), threads=1)
    for number, size in enumerate(sizes):
        queue.submit(Job(str(number), size))
    taken = work_off(queue, sum(sizes))
    for number, size in enumerate(sizes):
        turns = [at for at, name in enumerate(taken) if name == str(number)]
        assert len(turns) == size
        assert number <= turns[0] <= number + number // 3
        # Every fourth turn is one of those that have begun; who has begun waits for each other's one.
        assert all(later - earlier <= 4 * len(sizes) for earlier, later in pairwise(turns))


def test_a_full_queue_refuses_and_says_when_to_come_again() -> None:
    queue: FairQueue[Job] = FairQueue(2, threads=1)
    queue.submit(Job("a", 1))
    queue.submit(Job("b", 100))
    with pytest.raises(QueueFullError) as full:
        queue.submit(Job("c", 1))
    assert full.value.retry_after_seconds == 1
    assert full.value.position == 3
    with pytest.raises(QueueFullError):
        queue.refuse_if_full("")
    work_off(queue, 1)
    queue.refuse_if_full("")
    queue.submit(Job("c", 1))


def test_a_tenant_that_fills_the_queue_does_not_shut_others_out() -> None:
    queue: FairQueue[Job] = FairQueue(8, threads=1)
    for number in range(8):
        queue.submit(Job(f"big {number}", 1, tenant="big"))
    with pytest.raises(QueueFullError):
        queue.refuse_if_full("big")
    queue.submit(Job("small 0", 1, tenant="small"))
    assert work_off(queue, 2) == ["big 0", "small 0"]
    for number in (1, 2):
        queue.submit(Job(f"small {number}", 1, tenant="small"))
    with pytest.raises(QueueFullError):
        queue.refuse_if_full("big")
    queue.submit(Job("small 3", 1, tenant="small"))
    for tenant in ("big", "small", "third"):
        with pytest.raises(QueueFullError):
            queue.refuse_if_full(tenant)
    assert queue.counts() == (0, 10)


def test_a_tenant_with_its_share_of_a_full_queue_gets_no_more() -> None:
    queue: FairQueue[Job] = FairQueue(4, threads=1)
    for number in range(4):
        queue.submit(Job(str(number), 1, tenant=str(number % 2)))
    for tenant in ("0", "1"):
        with pytest.raises(QueueFullError):
            queue.submit(Job("more", 1, tenant=tenant))
    queue.submit(Job("first", 1, tenant="2"))


def test_the_place_is_the_one_that_turns_by_tenant_give() -> None:
    queue: FairQueue[Job] = FairQueue(20, threads=1)
    assert queue.position("big") == 1
    for number in range(10):
        queue.submit(Job(f"big {number}", 1, tenant="big"))
    assert queue.position("big") == 11
    assert queue.position("small") == 2
    queue.submit(Job("small 0", 1, tenant="small"))
    assert queue.position("small") == 4
    place = queue.position("small")
    queue.submit(Job("small 1", 1, tenant="small"))
    assert work_off(queue, place).index("small 1") < place
    assert queue.position("big") == 9


@pytest.mark.parametrize("capacity", [1, 2, 3, 4])
def test_small_queues_have_a_place_for_others_too(capacity: int) -> None:
    queue: FairQueue[Job] = FairQueue(capacity, threads=1)
    for number in range(capacity):
        queue.submit(Job(str(number), 1))
    with pytest.raises(QueueFullError):
        queue.refuse_if_full("")
    queue.submit(Job("other", 1, tenant="other"))
    with pytest.raises(QueueFullError):
        queue.refuse_if_full("third")


def test_who_has_more_than_the_queue_holds_waits_until_so_many_are_through() -> None:
    queue: FairQueue[Job] = FairQueue(2, threads=1)
    first, second, other = Job("first", 100), Job("second", 200), Job("other", 300, tenant="other")
    for job in (first, second, other):
        queue.submit(job)
    for _ in range(30):
        taken = queue.take()
        assert taken is not None
        taken.characters_left -= 1
        queue.give_back(taken, 2.0)
    left = sorted(job.characters_left for job in (first, second, other))
    with pytest.raises(QueueFullError) as over:
        queue.refuse_if_full("")
    with pytest.raises(QueueFullError) as new:
        queue.refuse_if_full("new")
    assert new.value.retry_after_seconds == pytest.approx(2 * 3 * left[0], rel=0.05)
    assert over.value.retry_after_seconds == pytest.approx(2 * (left[0] + 2 * left[1]), rel=0.05)


def test_the_wait_grows_with_what_is_queued_and_how_slow_pieces_are() -> None:
    queue: FairQueue[Job] = FairQueue(2, threads=2)
    slow, other = Job("slow", 140), Job("other", 50)
    queue.submit(slow)
    for _ in range(40):
        assert queue.take() is slow
        slow.characters_left -= 1
        queue.give_back(slow, 2.0)
    queue.submit(other)
    with pytest.raises(QueueFullError) as full:
        queue.submit(Job("c", 1))
    # Both are given 50 pieces of 2 s until the other is through, by two threads.
    assert 98 <= full.value.retry_after_seconds <= 102
    assert full.value.position == 3


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
            job.characters_left -= 1
            finished = not job.characters_left
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
    assert [job.characters_left for job in jobs] == [0] * 50


def test_one_request_among_fifty_of_another_tenant_is_second() -> None:
    queue: FairQueue[Job] = FairQueue(100, threads=1)
    for number in range(50):
        queue.submit(Job(f"many-{number}", 1, tenant="many"))
    queue.submit(Job("one", 1, tenant="one"))
    assert "one" in work_off(queue, 2)
    queue.submit(Job("one-again", 1, tenant="one"))
    assert "one-again" in work_off(queue, 2)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6)), min_size=1, max_size=12),
    st.data(),
)
def test_tenants_share_turns_evenly_and_everything_is_done(
    requests: list[tuple[str, int]], data: st.DataObject
) -> None:
    queue: FairQueue[Job] = FairQueue(len(requests), threads=1)
    jobs = [Job(str(number), size, tenant=tenant) for number, (tenant, size) in enumerate(requests)]
    for job in jobs:
        queue.submit(job)
    turns: list[Job] = []
    while any(job.characters_left for job in jobs):
        job = queue.take(wait=False)
        assert job is not None
        turns.append(job)
        job.has_begun = True
        job.characters_left -= 1
        queue.give_back(job, data.draw(st.floats(0, 1)))
    assert queue.take(wait=False) is None
    left = {tenant: sum(size for owner, size in requests if owner == tenant) for tenant, _ in requests}
    # While two tenants both have work, neither gets two turns more than the other.
    had = dict.fromkeys(left, 0)
    for job in turns:
        had[job.tenant] += 1
        unfinished = [tenant for tenant, total in left.items() if had[tenant] < total]
        assert max((had[tenant] for tenant in unfinished), default=0) <= 1 + min(
            (had[tenant] for tenant in unfinished), default=0
        )


def test_first_pieces_go_before_later_ones_but_not_for_ever() -> None:
    queue: FairQueue[Job] = FairQueue(20, threads=1)
    queue.submit(Job("long", 3))
    assert work_off(queue, 1) == ["long"]
    for number in range(5):
        queue.submit(Job(f"new-{number}", 1))
    assert work_off(queue, 7) == ["new-0", "new-1", "new-2", "long", "new-3", "new-4", "long"]


def test_a_stream_about_to_run_dry_goes_first() -> None:
    queue: FairQueue[Job] = FairQueue(20, threads=1)
    now = time.monotonic()
    far = Job("far", 5, has_begun=True, runs_dry_at=now + 60)
    near = Job("near", 5, has_begun=True, runs_dry_at=now + 0.5, tenant="other")
    queue.submit(far)
    queue.submit(near)
    for number in range(3):
        queue.submit(Job(f"new-{number}", 1))
    # Even then others have every fourth turn.
    assert work_off(queue, 6) == ["near", "near", "near", "new-0", "near", "near"]
    assert work_off(queue, 7) == ["new-1", "new-2", "far", "far", "far", "far", "far"]


def test_taking_without_waiting_says_that_nothing_is_due() -> None:
    queue: FairQueue[Job] = FairQueue(2, threads=1)
    assert queue.take(wait=False) is None
    queue.submit(Job("a", 1))
    queue.close()
    assert queue.is_closed
    assert queue.take(wait=False) is None
    assert queue.take() is None
