"""The router: who is asked, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from apps.accounts.models import Organization
from apps.deployments.models import Worker
from apps.deployments.routing import Router, Slot, Target
from apps.deployments.states import State
from tests.deployments.tables import deployment, found, in_database, need, until_found, worker

pytestmark = pytest.mark.django_db(transaction=True)


def taken_from(router: Router, target: Target) -> Slot:
    """A slot of that worker, however many it has in flight."""
    others = {other.worker_id for other in found(router)} - {target.worker_id}
    slot = router.take(need(), others)
    assert slot is not None
    return slot


async def test_a_ready_worker_is_a_candidate_with_all_that_is_needed(router: Router) -> None:
    one = await in_database(deployment)
    ready = await in_database(lambda: worker(one, token="worker-token"))
    await router.start()
    [target] = found(router)
    assert (target.worker_id, target.deployment_id, target.url) == (ready.pk, one.pk, ready.url)
    assert (target.engine, target.models, target.capacity) == ("cpu", ("hibari",), 128)
    assert dict(target.headers) == {"X-Worker-Token": "worker-token"}
    assert "worker-token" not in repr(target)
    assert found(router, model="other") == []
    assert found(router, voice="other") == []
    assert found(router, features=frozenset({"clone"})) == []


@pytest.mark.parametrize(
    "state", [state for state in Worker.State if state != Worker.State.READY], ids=lambda state: state.value
)
async def test_a_worker_that_is_not_ready_gets_nothing(router: Router, state: Worker.State) -> None:
    await in_database(lambda: worker(deployment(), state=state))
    await router.start()
    assert found(router) == []


@pytest.mark.parametrize("state", [State.DRAINING, State.STOPPING, State.STOPPED, State.PAUSED, State.ASLEEP])
async def test_workers_of_a_deployment_that_does_not_serve_get_nothing(router: Router, state: State) -> None:
    await in_database(lambda: worker(deployment(state=state)))
    await router.start()
    assert found(router) == []


async def test_fewest_in_flight_first_and_then_what_the_worker_reports(router: Router) -> None:
    def make() -> None:
        one = deployment()
        for number in (3, 1, 2):
            worker(one, f"w{number}", in_flight=number)

    await in_database(make)
    await router.start()
    first, second, third = found(router)
    assert [target.reported_in_flight for target in (first, second, third)] == [1, 2, 3]
    taken = [taken_from(router, target) for target in (first, first, second)]
    assert found(router) == [third, second, first]
    for slot in taken:
        slot.release()
        slot.release()  # once more does no harm
    assert found(router) == [first, second, third]


async def test_equals_take_turns(router: Router) -> None:
    def make() -> None:
        one = deployment()
        for number in range(2):
            worker(one, f"w{number}")

    await in_database(make)
    await router.start()
    assert len({found(router)[0].worker_id for _ in range(64)}) == 2


async def test_a_request_that_fails_is_not_counted_for_ever(router: Router) -> None:
    await in_database(lambda: [worker(one := deployment()), worker(one, "w2", in_flight=1)])
    await router.start()
    first, second = found(router)
    with pytest.raises(ConnectionError), taken_from(router, first):
        raise ConnectionError
    assert found(router) == [first, second]


async def test_ones_own_deployment_goes_before_the_shared_one(
    router: Router, acme: Organization, globex: Organization
) -> None:
    def make() -> None:
        worker(deployment("shared"))
        worker(deployment("own", organization=acme), in_flight=9)

    await in_database(make)
    await router.start()
    assert [target.is_shared for target in found(router, acme)] == [False, True]
    assert [target.is_shared for target in found(router, globex)] == [True]
    assert [target.is_shared for target in found(router)] == [True]


async def test_a_failed_worker_is_left_out_until_it_is_seen_again(router: Router) -> None:
    row = await in_database(lambda: worker(deployment()))
    await router.start()
    [target] = found(router)
    for _ in range(10):  # excluded for 10 s by now
        router.report_failure(target)
    assert found(router) == []
    await router.refresh()
    assert found(router) == []
    row.last_seen_at += timedelta(seconds=5)
    await in_database(row.save)
    await router.refresh()
    assert [again.worker_id for again in found(router)] == [row.pk]


async def test_a_first_failure_leaves_a_worker_out_only_for_a_moment(router: Router) -> None:
    await in_database(lambda: worker(deployment()))
    await router.start()
    router.report_failure(found(router)[0])
    assert found(router) == []
    await until_found(router)


async def test_a_new_worker_is_picked_up_by_itself() -> None:
    one = await in_database(deployment)
    router = Router(refresh_seconds=0.1)
    await router.start()
    assert found(router) == []
    await in_database(lambda: worker(one))
    await until_found(router)
    await router.stop()


async def test_keeps_its_table_while_the_database_cannot_be_read(router: Router) -> None:
    await in_database(lambda: worker(deployment(), token="unreadable"))
    await router.start()
    before = found(router)
    await in_database(lambda: rename_table("deployments_worker", "away"))
    try:
        await router.refresh()
        assert found(router) == before
    finally:
        await in_database(lambda: rename_table("away", "deployments_worker"))
    await router.refresh()
    assert found(router) == before


def rename_table(old: str, new: str) -> None:
    """A database that answers every query with an error, as far as the router can tell."""
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{old}" RENAME TO "{new}"')


async def test_a_token_that_no_key_opens_does_not_stop_the_router(router: Router) -> None:
    row = await in_database(lambda: worker(deployment()))
    await router.start()
    await in_database(lambda: spoil_token(row))
    await router.refresh()
    assert len(found(router)) == 1


def spoil_token(row: Worker) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deployments_worker SET token = 'gibberish' WHERE id = %s", [row.pk])
