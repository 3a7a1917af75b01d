"""Requests that find no slot: they wait in turn, and are told the truth when that is in vain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from apps.accounts.models import Organization
from apps.core.errors import Unavailable
from apps.deployments.catalogue import Need
from apps.deployments.models import Deployment, Worker
from apps.deployments.routing import Router, Slot
from apps.deployments.states import State
from tests.deployments.tables import deployment, found, in_database, need, worker

pytestmark = pytest.mark.django_db(transaction=True)
ROOM_FOR_ONE = {"queue": {"active": 0, "waiting": 0, "capacity": 1}}


def small(name: str = "one", **fields: Any) -> Worker:
    """A worker that takes one request at a time."""
    return worker(deployment(name, spoken=ROOM_FOR_ONE, **fields), name)


def taken(router: Router, asked: Need | None = None) -> Slot:
    slot = router.take(asked or need())
    assert slot is not None
    return slot


def queue_length() -> float | None:
    return REGISTRY.get_sample_value("voiceflow_speech_queue_length")


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not what():  # noqa: ASYNC110 - what changes it has no event
            await asyncio.sleep(0.01)


async def waiting(router: Router, asked: Need | None = None, **how: Any) -> asyncio.Task[Slot]:
    """A request that is in the queue by now."""
    before = queue_length()
    task = asyncio.create_task(router.route(asked or need(), **how))
    await until(lambda: task.done() or queue_length() != before)
    return task


def refusal_of(error: pytest.ExceptionInfo[Unavailable]) -> tuple[str, int]:
    return error.value.code, int(error.value.headers["Retry-After"])


@pytest.fixture
async def impatient() -> AsyncIterator[Router]:
    """Five places, a fifth of a second in each."""
    router = Router(refresh_seconds=3600, queue_places=5, queue_seconds=0.2)
    yield router
    await router.stop()


async def test_with_a_free_slot_nothing_is_awaited(router: Router) -> None:
    await in_database(small)
    await router.start()
    with pytest.raises(StopIteration) as done:
        router.route(need()).send(None)
    assert isinstance(done.value.value, Slot)


async def test_a_freed_slot_goes_to_who_waits_and_not_to_who_comes(router: Router) -> None:
    await in_database(small)
    await router.start()
    slot = taken(router)
    task = await waiting(router)
    assert queue_length() == 1
    slot.release()
    assert router.take(need()) is None
    (await task).release()
    assert queue_length() == 0
    taken(router).release()


async def test_capacity_is_what_the_worker_says(router: Router) -> None:
    await in_database(lambda: worker(deployment(spoken={"queue": {"capacity": 3}, "max_batch": 1})))
    await router.start()
    slots = [taken(router) for _ in range(3)]
    assert router.take(need()) is None
    slots[0].release()
    assert router.take(need()) is not None


async def test_ones_own_full_workers_give_way_to_the_shared_pool_where_the_plan_allows(
    router: Router, acme: Organization
) -> None:
    await in_database(lambda: (small("shared"), small("own", organization=acme)))
    await router.start()
    assert not taken(router, need(acme)).target.is_shared
    task = await waiting(router, need(acme, may_use_shared=False))
    assert queue_length() == 1
    assert taken(router, need(acme)).target.is_shared
    task.cancel()


async def test_a_tenant_with_fifty_waiting_does_not_hold_up_one_with_one(
    router: Router, acme: Organization, globex: Organization
) -> None:
    await in_database(small)
    await router.start()
    slot = taken(router)
    order: list[str] = []

    async def speak(organization: Organization) -> None:
        with await router.route(need(organization)):
            order.append(organization.slug)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(speak(acme)) for _ in range(50)]
    await until(lambda: queue_length() == 50)
    tasks.append(asyncio.create_task(speak(globex)))
    await until(lambda: queue_length() == 51)
    slot.release()
    await asyncio.gather(*tasks)
    assert order.index("globex") <= 1
    assert len(order) == 51


async def test_who_gives_up_leaves_no_trace(router: Router) -> None:
    await in_database(small)
    await router.start()
    slot = taken(router)
    tasks = [await waiting(router) for _ in range(3)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert queue_length() == 0
    slot.release()
    taken(router).release()


async def test_a_slot_given_to_one_who_gives_up_at_that_moment_is_not_lost(router: Router) -> None:
    await in_database(small)
    await router.start()
    slot = taken(router)
    leaving, staying = await waiting(router), await waiting(router)
    slot.release()
    leaving.cancel()
    (await staying).release()
    assert leaving.cancelled()
    taken(router).release()


async def test_the_wait_has_an_end(impatient: Router) -> None:
    await in_database(small)
    await impatient.start()
    with taken(impatient):
        started = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            await impatient.route(need())
    assert 0.2 <= time.monotonic() - started < 2
    assert refusal_of(refused) == ("system_busy", 2)
    assert queue_length() == 0


async def test_a_caller_may_wish_to_wait_shorter_or_longer(impatient: Router) -> None:
    await in_database(small)
    await impatient.start()
    slot = taken(impatient)
    with pytest.raises(Unavailable) as refused:
        await impatient.route(need(), patience=impatient.patience(0))
    assert refused.value.code == "system_busy"
    task = await waiting(impatient, patience=impatient.patience(30))
    await asyncio.sleep(0.5)
    slot.release()
    (await task).release()


async def test_the_queue_has_a_bound(impatient: Router) -> None:
    await in_database(small)
    await impatient.start()
    patience = impatient.patience(30)
    with taken(impatient):
        tasks = [await waiting(impatient, patience=patience) for _ in range(5)]
        with pytest.raises(Unavailable) as refused:
            await impatient.foresee(need(), patience)
        assert refused.value.code == "system_busy"
        with pytest.raises(Unavailable) as refused:
            await impatient.route(need(), patience=patience)
        assert refused.value.code == "system_busy"
    for task in tasks:
        (await task).release()


async def test_a_full_queue_makes_room_for_another_tenant(
    impatient: Router, acme: Organization, globex: Organization
) -> None:
    await in_database(small)
    await impatient.start()
    patience = impatient.patience(30)
    slot = taken(impatient)
    tasks = [await waiting(impatient, need(acme), patience=patience) for _ in range(5)]
    other = asyncio.create_task(impatient.route(need(globex), patience=patience))
    with pytest.raises(Unavailable) as refused:
        await tasks[-1]
    assert refused.value.code == "system_busy"
    slot.release()
    for task in [tasks[0], other, *tasks[1:-1]]:
        (await task).release()


async def test_who_comes_back_when_told_is_served() -> None:
    """One worker, a fifth of a second for each: the queue's bound is met, and the estimate holds."""
    router = Router(refresh_seconds=3600, queue_places=8, queue_seconds=30)
    await in_database(small)
    await router.start()

    async def speak() -> None:
        with await router.route(need()):
            await asyncio.sleep(0.2)

    for _ in range(4):  # what it learns from
        await speak()
    tasks = [asyncio.create_task(speak()) for _ in range(9)]
    await until(lambda: queue_length() == 8)
    with pytest.raises(Unavailable) as refused:
        await router.route(need())
    code, seconds = refusal_of(refused)
    assert code == "system_busy"
    # Nine are before it: 1.8 s, told in whole seconds, and on a busy machine somewhat more.
    assert 2 <= seconds <= 4
    await asyncio.sleep(seconds)
    taken(router).release()
    await asyncio.gather(*tasks)
    await router.stop()


async def test_a_worker_that_becomes_ready_serves_who_waits(router: Router) -> None:
    one = await in_database(small)
    await router.start()
    task = await waiting(router) if router.take(need()) else None
    assert task is not None
    await in_database(lambda: worker(one.deployment, "w2"))
    await router.refresh()
    assert (await task).target.url.endswith("w2")


async def test_a_worker_that_says_it_is_busy_rests_that_long_and_then_serves_who_waits(
    router: Router,
) -> None:
    await in_database(small)
    await router.start()
    router.report_busy(found(router)[0], 0.6)
    assert found(router) == []
    started = time.monotonic()
    (await router.route(need())).release()
    assert 0.5 <= time.monotonic() - started < 3


async def test_a_rest_that_outlasts_the_wait_is_told_at_once(router: Router) -> None:
    await in_database(small)
    await router.start()
    router.report_busy(found(router)[0], 40)
    started = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        await router.route(need())
    code, seconds = refusal_of(refused)
    assert code == "system_busy"
    assert 35 <= seconds <= 40
    assert time.monotonic() - started < 5


async def test_a_busy_worker_that_is_seen_with_room_is_asked_again(router: Router) -> None:
    row = await in_database(small)
    await router.start()
    router.report_busy(found(router)[0], 40)
    row.last_seen_at += timedelta(seconds=5)
    row.in_flight = 1
    await in_database(row.save)
    await router.refresh()
    assert found(router) == []
    row.in_flight = 0
    await in_database(row.save)
    await router.refresh()
    assert len(found(router)) == 1


async def test_those_tried_are_not_asked_again_by_the_queue_either(router: Router) -> None:
    first, second = await in_database(lambda: (small("first"), small("second")))
    await router.start()
    slots = {slot.target.worker_id: slot for slot in (taken(router), taken(router))}
    task = await waiting(router, tried=[first.pk])
    slots[first.pk].release()
    assert not task.done()
    slots[second.pk].release()
    assert (await task).target.worker_id == second.pk


async def test_a_failing_worker_is_waited_for_only_on_demand(router: Router) -> None:
    await in_database(small)
    await router.start()
    router.report_failure(found(router)[0])
    with pytest.raises(Unavailable) as refused:
        await router.route(need())
    assert refused.value.code == "speech_unavailable"
    (await router.route(need(), patience=router.patience(10))).release()


@pytest.mark.parametrize("state", [State.PAUSED, State.FAILED])
async def test_what_stands_still_is_not_waited_for(router: Router, state: State) -> None:
    await in_database(lambda: deployment(state=state, error_code="x", error_message="y"))
    await router.start()
    started = time.monotonic()
    with pytest.raises(Unavailable, match="paused or has failed") as refused:
        await router.route(need(), patience=router.patience(30))
    assert refused.value.code == "speech_unavailable"
    assert time.monotonic() - started < 5


async def test_a_start_under_way_is_told_by_what_is_left_of_it(router: Router) -> None:
    await in_database(lambda: deployment(state=State.STARTING, start_seconds=40))
    await router.start()
    with pytest.raises(Unavailable) as refused:
        await router.foresee(need(), router.patience())
    code, seconds = refusal_of(refused)
    # An hour of it until this router would notice, as it never reads its table anew by itself.
    assert code == "speech_unavailable"
    assert 3600 + 35 <= seconds <= 3600 + 40


async def test_a_stopping_router_refuses_who_waits(router: Router) -> None:
    await in_database(small)
    await router.start()
    with taken(router):
        task = await waiting(router)
        await router.stop()
        with pytest.raises(Unavailable):
            await task


async def test_in_flight_requests_are_measured(router: Router) -> None:
    await in_database(lambda: worker(deployment()))
    await router.start()
    with taken(router), taken(router):
        assert REGISTRY.get_sample_value("voiceflow_speech_in_flight") == 2
    assert REGISTRY.get_sample_value("voiceflow_speech_in_flight") == 0


async def test_a_worker_gone_from_the_table_keeps_its_count_while_it_speaks(router: Router) -> None:
    row = await in_database(small)
    await router.start()
    slot = taken(router)
    await in_database(lambda: Deployment.objects.update(state=State.DRAINING))
    await router.refresh()
    await in_database(lambda: Deployment.objects.update(state=State.READY))
    await router.refresh()
    assert router.take(need()) is None
    slot.release()
    assert taken(router).target.worker_id == row.pk
