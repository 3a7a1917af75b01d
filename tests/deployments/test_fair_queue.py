"""The queue of those who wait for a slot: turns, bound, and who makes room for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from apps.core.errors import Unavailable
from apps.deployments.catalogue import Need
from apps.deployments.fair_queue import FairQueue, QueueFullError, Waiter

ACME, GLOBEX, INITECH = uuid4(), uuid4(), uuid4()
NAMES = {ACME: "acme", GLOBEX: "globex", INITECH: "initech"}

Queue = FairQueue[str]


def waiter(tenant: UUID, model: str = "hibari") -> Waiter[str]:
    slot: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    need = Need(organization_id=tenant, tenant=tenant, model=model, voice="heart", may_use_shared=True)
    return Waiter(need, frozenset(), slot, lambda: Unavailable("No."))


def filled(places: int, *tenants: UUID) -> Queue:
    queue = Queue(places)
    for tenant in tenants:
        queue.join(waiter(tenant))
    return queue


def slots(count: int, order: list[str], model: str | None = None) -> Callable[[Waiter[str]], bool]:
    """Gives so many slots, of one model or of any, and notes who got them."""

    def give(waiting: Waiter[str]) -> bool:
        if len(order) >= count or model not in (None, waiting.need.model):
            return False
        order.append(NAMES[waiting.need.tenant])
        waiting.slot.set_result("a slot")
        return True

    return give


async def test_tenants_take_turns_however_many_requests_each_has() -> None:
    queue = filled(200, *[ACME] * 50, GLOBEX)
    order: list[str] = []
    queue.serve(slots(4, order))
    assert order == ["acme", "globex", "acme", "acme"]
    assert len(queue) == 47


async def test_turns_go_on_where_they_stopped() -> None:
    queue = filled(200, ACME, ACME, GLOBEX, GLOBEX, INITECH)
    order: list[str] = []
    for count in range(1, 6):
        queue.serve(slots(count, order))
    assert order == ["acme", "globex", "initech", "acme", "globex"]
    assert len(queue) == 0


async def test_a_tenants_requests_are_served_in_their_order() -> None:
    queue = Queue(10)
    waiters = [waiter(ACME) for _ in range(3)]
    for waiting in waiters:
        queue.join(waiting)
    queue.serve(slots(2, []))
    assert [waiting.slot.done() for waiting in waiters] == [True, True, False]


async def test_who_waits_for_something_else_is_passed_over() -> None:
    queue = Queue(10)
    for tenant, model in [(ACME, "chatterbox"), (ACME, "hibari"), (GLOBEX, "chatterbox"), (GLOBEX, "hibari")]:
        queue.join(waiter(tenant, model))
    order: list[str] = []
    queue.serve(slots(9, order, "hibari"))
    assert order == ["acme", "globex"]
    assert [waiting.need.model for waiting in queue] == ["chatterbox", "chatterbox"]


async def test_what_is_not_there_for_one_is_not_looked_for_again_for_its_like() -> None:
    queue = filled(200, *[ACME] * 80, *[GLOBEX] * 80)
    asked = 0

    def give(waiting: Waiter[str]) -> bool:
        nonlocal asked
        asked += 1
        return False

    queue.serve(give)
    # Once for each organization: their own deployments may differ.
    assert asked == 2


async def test_one_that_was_cancelled_gets_no_slot() -> None:
    queue = Queue(10)
    gone, there = waiter(ACME), waiter(ACME)
    queue.join(gone)
    queue.join(there)
    gone.slot.cancel()
    queue.serve(slots(1, []))
    assert there.slot.result() == "a slot"


async def test_leaving_twice_counts_once() -> None:
    queue = Queue(10)
    waiting = waiter(ACME)
    queue.join(waiting)
    queue.leave(waiting)
    queue.leave(waiting)
    assert (len(queue), list(queue)) == (0, [])


async def test_a_tenant_alone_may_have_all_places_and_no_more() -> None:
    queue = filled(4, *[ACME] * 4)
    assert not queue.has_place_for(ACME)
    with pytest.raises(QueueFullError):
        queue.join(waiter(ACME))


async def test_while_others_wait_a_tenant_gets_half_of_the_places() -> None:
    queue = filled(6, GLOBEX, ACME, ACME, ACME)
    assert not queue.has_place_for(ACME)
    assert queue.has_place_for(GLOBEX)
    assert queue.has_place_for(INITECH)


async def test_a_full_queue_makes_room_at_the_expense_of_the_one_who_filled_it() -> None:
    queue = Queue(4)
    waiters = [waiter(ACME) for _ in range(4)]
    for waiting in waiters:
        queue.join(waiting)
    displaced = queue.join(waiter(GLOBEX))
    assert displaced is waiters[-1]
    assert queue.join(waiter(GLOBEX)) is waiters[-2]
    assert len(queue) == 4
    # Each has half now, and no claim on the other's.
    assert not queue.has_place_for(GLOBEX)
    assert queue.join(waiter(INITECH)) is not None
    assert sorted(NAMES[waiting.need.tenant] for waiting in queue).count("initech") == 1


async def test_a_queue_without_places_takes_nobody() -> None:
    assert not Queue(0).has_place_for(ACME)
