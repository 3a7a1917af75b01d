"""Requests for what sleeps: it is woken once, and they are told how long that takes, or wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.db import connection
from prometheus_client import REGISTRY

from apps.accounts.models import Organization
from apps.core.errors import Unavailable
from apps.deployments.models import Deployment
from apps.deployments.routing import Router, Slot
from apps.deployments.states import State
from tests.deployments.tables import deployment, found, in_database, need, worker

pytestmark = pytest.mark.django_db(transaction=True)


def sleeping(name: str = "one", **fields: Any) -> Deployment:
    return deployment(name, state=State.ASLEEP, desired_replicas=0, **fields)


def woken_up(one: Deployment) -> None:
    """As reconciliation leaves a deployment whose worker has started."""
    Deployment.objects.filter(pk=one.pk, state=State.STARTING).update(state=State.READY)
    worker(one)


async def state_of(one: Deployment) -> str:
    await in_database(one.refresh_from_db)
    return one.state


async def until_starting(one: Deployment) -> None:
    async with asyncio.timeout(10):
        while await state_of(one) != State.STARTING:  # noqa: ASYNC110 - what changes it is the database
            await asyncio.sleep(0.01)


async def events_of(one: Deployment) -> list[str]:
    return await in_database(lambda: list(one.events.values_list("reason", flat=True)))


async def refused(router: Router, organization: Organization | None = None, **how: Any) -> tuple[str, int]:
    """Code and Retry-After."""
    with pytest.raises(Unavailable) as refusal:
        await router.route(need(organization, **how))
    return refusal.value.code, int(refusal.value.headers["Retry-After"])


@pytest.fixture
async def quick() -> AsyncIterator[Router]:
    """Reads its table every twentieth of a second."""
    router = Router(refresh_seconds=0.05)
    yield router
    await router.stop()


async def test_a_request_wakes_it_and_is_told_how_long_that_takes(quick: Router) -> None:
    one = await in_database(lambda: sleeping(start_seconds=12.4))
    before = REGISTRY.get_sample_value("voiceflow_deployment_wakes_total") or 0
    await quick.start()
    assert await refused(quick) == ("deployment_asleep", 13)
    assert await state_of(one) == State.STARTING
    assert await events_of(one) == ["A request woke it."]
    assert REGISTRY.get_sample_value("voiceflow_deployment_wakes_total") == before + 1


async def test_without_a_history_it_is_told_what_is_typical_of_its_provider(quick: Router) -> None:
    await in_database(sleeping)
    await quick.start()
    assert await refused(quick) == ("deployment_asleep", 6)


async def test_of_many_requests_in_two_processes_one_wakes_it_and_all_are_told(
    router: Router, quick: Router
) -> None:
    one = await in_database(sleeping)
    await router.start()
    await quick.start()
    answers = await asyncio.gather(*(refused(asked) for asked in [router, quick] * 10))
    told = {code for code, _ in answers}
    # Who reads the table once the other has woken it hears that it is starting.
    assert "deployment_asleep" in told <= {"deployment_asleep", "speech_unavailable"}
    assert await events_of(one) == ["A request woke it."]


async def test_who_comes_while_it_starts_is_told_what_is_left(quick: Router) -> None:
    await in_database(lambda: sleeping(start_seconds=30))
    await quick.start()
    assert await refused(quick) == ("deployment_asleep", 31)
    await quick.refresh()
    code, seconds = await refused(quick)
    assert code == "speech_unavailable"
    assert 20 <= seconds <= 31


async def test_to_look_ahead_wakes_nobody(quick: Router) -> None:
    one = await in_database(sleeping)
    await quick.start()
    assert await quick.foresee(need(), quick.patience()) is None
    assert await state_of(one) == State.ASLEEP


async def test_who_waits_is_served_once_it_is_awake(quick: Router) -> None:
    one = await in_database(sleeping)
    await quick.start()
    task = asyncio.create_task(quick.route(need(), patience=quick.patience(30)))
    await until_starting(one)
    await asyncio.sleep(0.2)
    assert not task.done()
    await in_database(lambda: woken_up(one))
    slot = await task
    assert slot.target.deployment_id == one.pk


async def test_who_waits_too_short_is_told_what_is_left(quick: Router) -> None:
    await in_database(lambda: sleeping(start_seconds=30))
    await quick.start()
    with pytest.raises(Unavailable) as refusal:
        await quick.route(need(), patience=quick.patience(0.5))
    assert refusal.value.code == "speech_unavailable"
    assert 20 <= int(refusal.value.headers["Retry-After"]) <= 30


async def test_ones_own_is_woken_before_the_shared_one(quick: Router, acme: Organization) -> None:
    shared, own = await in_database(lambda: (sleeping("shared"), sleeping("own", organization=acme)))
    await quick.start()
    assert (await refused(quick, acme))[0] == "deployment_asleep"
    assert (await state_of(shared), await state_of(own)) == (State.ASLEEP, State.STARTING)


async def test_what_the_shared_pool_speaks_now_wakes_nobody(quick: Router, acme: Organization) -> None:
    def make() -> Deployment:
        worker(deployment("shared"))
        return sleeping("own", organization=acme)

    own = await in_database(make)
    await quick.start()
    assert (await quick.route(need(acme))).target.is_shared
    assert await state_of(own) == State.ASLEEP


async def test_another_organizations_and_a_pool_that_is_not_ones_own_are_left_asleep(
    quick: Router, acme: Organization, globex: Organization
) -> None:
    everything = await in_database(lambda: [sleeping("shared"), sleeping("other", organization=globex)])
    await quick.start()
    assert (await refused(quick, acme, may_use_shared=False))[0] == "speech_unavailable"
    assert {await state_of(one) for one in everything} == {State.ASLEEP}


@pytest.mark.parametrize("asked", [{"model": "other"}, {"voice": "other"}, {"engine": "tone"}])
async def test_what_could_not_speak_it_is_left_asleep(quick: Router, asked: dict[str, str]) -> None:
    one = await in_database(sleeping)
    await quick.start()
    assert (await refused(quick, **asked))[0] == "speech_unavailable"
    assert await state_of(one) == State.ASLEEP


async def test_what_is_paused_stays_paused(quick: Router) -> None:
    one = await in_database(lambda: deployment(state=State.PAUSED))
    await quick.start()
    assert (await refused(quick))[0] == "speech_unavailable"
    assert await state_of(one) == State.PAUSED


async def test_a_moment_of_failure_wakes_nobody(quick: Router) -> None:
    def make() -> Deployment:
        worker(deployment("awake"))
        return sleeping("asleep")

    asleep = await in_database(make)
    await quick.start()
    quick.report_failure(found(quick)[0])
    assert (await refused(quick))[0] == "speech_unavailable"
    assert await state_of(asleep) == State.ASLEEP


async def test_what_falls_asleep_while_a_request_waits_for_it_is_woken(quick: Router) -> None:
    one = await in_database(lambda: deployment(spoken={"queue": {"capacity": 1}}))
    await in_database(lambda: worker(one))
    await quick.start()
    slot = quick.take(need())
    assert slot is not None
    task: asyncio.Task[Slot] = asyncio.create_task(quick.route(need(), patience=quick.patience(30)))
    await asyncio.sleep(0.1)
    await in_database(lambda: Deployment.objects.update(state=State.ASLEEP))
    await until_starting(one)
    await in_database(lambda: Deployment.objects.update(state=State.READY))
    slot.release()
    assert (await task).target.deployment_id == one.pk


async def test_with_the_database_away_nobody_is_told_that_it_was_woken(router: Router) -> None:
    await in_database(sleeping)
    await router.start()
    await in_database(lambda: rename("deployments_deployment", "away"))
    try:
        assert (await refused(router))[0] == "speech_unavailable"
    finally:
        await in_database(lambda: rename("away", "deployments_deployment"))


def rename(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{old}" RENAME TO "{new}"')
