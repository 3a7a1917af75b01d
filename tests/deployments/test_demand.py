"""What a process of the speech API tells of its requests."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.errors import Unavailable
from apps.deployments import demand
from apps.deployments.demand import Count, Report
from apps.deployments.models import Demand, Deployment
from apps.deployments.routing import Router
from apps.deployments.states import State
from tests.deployments.tables import deployment, in_database, need, worker

pytestmark = pytest.mark.django_db(transaction=True)


async def told(router: Router) -> dict[str, tuple[int, int]]:
    await router.tell_demand()
    rows = await in_database(lambda: list(Demand.objects.select_related("deployment")))
    return {row.deployment.name: (row.in_flight, row.waiting) for row in rows}


async def test_requests_in_flight_are_told_and_their_end(router: Router) -> None:
    one = await in_database(deployment)
    await in_database(lambda: worker(one))
    await router.start()
    assert await told(router) == {}
    slots = [router.take(need()) for _ in range(3)]
    assert await told(router) == {"one": (3, 0)}
    for slot in slots:
        assert slot is not None
        slot.release()
    assert await told(router) == {"one": (0, 0)}
    used = (await in_database(lambda: Deployment.objects.get())).last_used_at
    assert used is not None
    assert timezone.now() - used < timedelta(seconds=60)


async def test_a_request_that_came_and_went_is_a_use(router: Router) -> None:
    await in_database(lambda: worker(deployment()))
    await router.start()
    slot = router.take(need())
    assert slot is not None
    slot.release()
    assert await told(router) == {}
    assert (await in_database(lambda: Deployment.objects.get())).last_used_at is not None


async def test_who_waits_counts_for_what_will_speak(router: Router) -> None:
    await in_database(lambda: deployment("paused", state=State.PAUSED))
    one = await in_database(deployment)
    await in_database(lambda: worker(one, capabilities=one.capabilities | {"queue": {"capacity": 1}}))
    await router.start()
    slot = router.take(need())
    assert slot is not None
    waits = asyncio.create_task(router.route(need()))
    await asyncio.sleep(0)
    assert await told(router) == {"one": (1, 1)}
    waits.cancel()
    slot.release()
    with pytest.raises((asyncio.CancelledError, Unavailable)):
        await waits


@pytest.mark.parametrize(("delay_seconds", "is_noted"), [(4, True), (900, False)])
def test_a_use_soon_after_another_is_noted_where_it_would_sleep_soon(
    delay_seconds: int, is_noted: bool
) -> None:
    before = timezone.now() - timedelta(seconds=3)
    one = deployment(scale_down_delay_seconds=delay_seconds, last_used_at=before)
    demand.write(uuid4(), Report(used=frozenset({one.pk})))
    one.refresh_from_db()
    assert (one.last_used_at > before) is is_noted


def test_a_deployment_that_is_gone_is_left_out() -> None:
    demand.write(uuid4(), Report({uuid4(): Count(in_flight=1)}, frozenset({uuid4()})))
    assert not Demand.objects.exists()


def test_processes_of_long_ago_are_forgotten() -> None:
    one = deployment()
    for _ in range(2):
        demand.write(uuid4(), Report({one.pk: Count(in_flight=1)}, frozenset()))
    last = Demand.objects.earliest("pk")
    Demand.objects.filter(pk=last.pk).update(told_at=timezone.now() - timedelta(hours=2))
    demand.forget_old()
    assert Demand.objects.count() == 1
