"""Whose workers a request goes to, how it waits for them, and what it is told when they are not to be had."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.services import bump_policy
from apps.deployments.models import Deployment, Worker
from apps.usage.models import OrganizationLimits
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import Tenant, deploy, forget_usage, until, wait_for_route

# About three quarters of a second on a worker that takes one request at a time.
TEXT = "A tone of some length. "
SLOW = {"ENGINE": "tone", "THREADS": "1", "TONE_REAL_TIME_FACTOR": "0.5"}


@pytest.fixture(scope="module")
def narrow_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """Holds one request, and refuses the next."""
    with running_worker(tmp_path_factory.mktemp("narrow"), **SLOW, MAX_QUEUE="1") as process:
        yield process


@pytest.fixture
def narrow(acme: Tenant, narrow_worker: WorkerProcess) -> Worker:
    narrow_worker.wait_until_idle()
    worker = deploy(narrow_worker, name="narrow")
    wait_for_route(acme, model="tone")
    return worker


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Callers at once."""
    with ThreadPoolExecutor(24) as pool:
        yield pool


def error_of(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    return error


def prefer(tenant: Tenant, wait: str, text: str = TEXT, **body: Any) -> httpx.Response:
    return tenant.post({"text": text, "model": "tone", **body}, Prefer=wait)


def until_busy(worker: WorkerProcess) -> None:
    until(lambda: worker.queue()["active"], what="the worker to begin")


def without_the_pool(tenant: Tenant) -> None:
    OrganizationLimits.objects.create(organization=tenant.organization, may_use_shared_pool=False)
    bump_policy(organization_id=tenant.organization.id)


def test_more_than_a_worker_takes_wait_and_are_all_spoken(
    acme: Tenant, narrow: Worker, pool: ThreadPoolExecutor
) -> None:
    answers = list(pool.map(lambda _: acme.generate(TEXT, model="tone"), range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert {record.state for record in acme.records()} <= {"ok", "open"}


def test_a_worker_that_has_no_room_is_asked_again_when_it_said(
    acme: Tenant, narrow: Worker, pool: ThreadPoolExecutor
) -> None:
    # As another process sees it, who knows nothing of our requests.
    capabilities = narrow.capabilities | {"queue": narrow.capabilities["queue"] | {"capacity": 50}}
    Worker.objects.filter(pk=narrow.pk).update(capabilities=capabilities)
    time.sleep(0.3)  # the server reads its table 20 times a second
    answers = list(pool.map(lambda _: acme.generate(TEXT, model="tone"), range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    busy = [line for line in acme.server.log().splitlines() if '"worker is full"' in line]
    assert busy
    assert '"worker failed"' not in acme.server.log().split(busy[0])[1]


def test_who_would_not_wait_is_told_when_to_come_and_is_served_then(
    acme: Tenant, narrow: Worker, narrow_worker: WorkerProcess, pool: ThreadPoolExecutor
) -> None:
    running = pool.submit(acme.generate, TEXT * 4, model="tone")
    until_busy(narrow_worker)
    refused = prefer(acme, "wait=0")
    assert (refused.status_code, error_of(refused)["code"]) == (503, "system_busy")
    assert refused.headers["Preference-Applied"] == "wait=0"
    assert running.result().status_code == 200
    acme.settled()
    # Nothing was admitted: no row, no charge, and no place among the requests at once.
    assert len(acme.records()) == 1

    running = pool.submit(acme.generate, TEXT, model="tone")
    until_busy(narrow_worker)
    refused = prefer(acme, "wait=0")
    time.sleep(int(refused.headers["Retry-After"]))
    assert prefer(acme, "wait=0").status_code == 200
    assert running.result().status_code == 200


def test_a_wait_in_vain_ends_when_the_caller_said(
    acme: Tenant, narrow: Worker, narrow_worker: WorkerProcess, pool: ThreadPoolExecutor
) -> None:
    running = pool.submit(acme.generate, TEXT * 8, model="tone")
    until_busy(narrow_worker)
    started = time.monotonic()
    refused = prefer(acme, "wait=1")
    assert 1 <= time.monotonic() - started < 4
    assert (refused.status_code, error_of(refused)["code"]) == (503, "system_busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert running.result().status_code == 200
    failed = next(record for record in acme.records() if record.state == "failed")
    assert (failed.error_code, failed.characters_charged) == ("system_busy", 0)


def test_a_tenant_with_many_waiting_does_not_hold_up_another(
    acme: Tenant, rival: Tenant, narrow: Worker, pool: ThreadPoolExecutor
) -> None:
    ended: list[str] = []

    def speak(tenant: Tenant) -> None:
        assert prefer(tenant, "wait=60").status_code == 200
        ended.append(tenant.organization.slug)

    first: list[Future[None]] = [pool.submit(speak, acme) for _ in range(12)]
    until(lambda: len(ended) >= 1, what="the first of many")
    pool.submit(speak, rival).result()
    # One may have been under way, and one more begun before the newcomer was there.
    assert len(ended) <= 5
    for each in first:
        each.result()


def test_who_leaves_while_waiting_leaves_no_trace(
    acme: Tenant, narrow: Worker, narrow_worker: WorkerProcess, pool: ThreadPoolExecutor
) -> None:
    running = pool.submit(acme.generate, TEXT * 4, model="tone")
    until_busy(narrow_worker)
    with pytest.raises(httpx.ReadTimeout):
        acme.client.post(
            "/generate",
            json={"text": TEXT, "model": "tone"},
            headers={"X-API-Key": acme.live},
            timeout=httpx.Timeout(5, read=0.3),
        )
    assert running.result().status_code == 200
    until(lambda: {record.state for record in acme.records()} == {"ok", "cancelled"}, what="settlement")
    assert prefer(acme, "wait=0").status_code == 200


def test_ones_own_worker_goes_first_and_the_shared_one_takes_over_when_it_dies(
    acme: Tenant, tone: Worker, tmp_path: Path
) -> None:
    with running_worker(tmp_path, **SLOW) as process:
        own = deploy(process, name="own", organization=acme.organization)
        until(lambda: spoken_by(acme) == own.deployment_id, what="the server to know it")
        for _ in range(3):
            assert spoken_by(acme) == own.deployment_id
    assert spoken_by(acme) == tone.deployment_id
    # It rests: the next request does not try it first.
    assert acme.server.log().count(f'"worker": "{own.pk}"') <= 2


def spoken_by(tenant: Tenant) -> Any:
    forget_usage(tenant)
    assert tenant.generate("Hi.", model="tone").status_code == 200
    return tenant.settled().deployment_id


def test_without_the_shared_pool_in_its_plan_an_organization_speaks_with_its_own(
    acme: Tenant, rival: Tenant, tone: Worker, cpu: Worker, tone_worker: WorkerProcess
) -> None:
    without_the_pool(acme)
    # That the plan has changed is found out while the first request is admitted, and holds for it already.
    changed = acme.generate("Hi.", model="tone")
    assert (changed.status_code, changed.headers["Retry-After"]) == (503, "1")
    assert acme.settled().characters_charged == 0
    refused = acme.generate("Hi.", model="tone")
    assert (refused.status_code, error_of(refused)["code"]) == (503, "no_deployment_for_model")
    assert "Retry-After" not in refused.headers
    assert refused.headers["x-should-retry"] == "false"
    assert len(acme.records()) == 1
    assert rival.generate("Hi.", model="tone").status_code == 200
    assert acme.generate("Hi.", key=acme.test).status_code == 200

    own = deploy(tone_worker, name="own", organization=acme.organization)
    until(lambda: acme.generate("Hi.", model="tone").status_code == 200, what="the server to know it")
    assert acme.settled().deployment_id == own.deployment_id
    refused = acme.generate("Hi.", model="hibari")
    assert error_of(refused)["code"] == "no_deployment_for_model"
    assert acme.generate("Hi.", model="nobody's").status_code == 404


@pytest.fixture
def sleeping(acme: Tenant, narrow_worker: WorkerProcess) -> Deployment:
    """Capabilities of a worker that is not there."""
    capabilities = httpx.get(f"{narrow_worker.url}/ready").json()
    return Deployment.objects.create(
        name="sleeping",
        engine="tone",
        capabilities=capabilities,
        state=Deployment.State.ASLEEP,
        desired_replicas=0,
        start_seconds=7.2,
    )


def until_known(tenant: Tenant) -> None:
    """Until the server has read that there is such a model, without asking it to speak."""
    until(lambda: tenant.generate("").status_code == 400, what="an answer")
    time.sleep(0.3)


def test_a_request_wakes_what_sleeps_and_is_told_how_long_that_takes(
    acme: Tenant, sleeping: Deployment
) -> None:
    until_known(acme)
    refused = acme.generate(TEXT, model="tone")
    assert (refused.status_code, error_of(refused)["code"]) == (503, "deployment_asleep")
    assert refused.headers["Retry-After"] == "8"
    assert "about 8 s" in error_of(refused)["message"]
    assert "Preference-Applied" not in refused.headers
    sleeping.refresh_from_db()
    assert (sleeping.state, sleeping.desired_replicas) == (Deployment.State.STARTING, 1)
    assert sleeping.events.get().reason == "A request woke it."
    record = acme.settled()
    assert (record.state, record.error_code, record.characters_charged) == ("failed", "deployment_asleep", 0)


def test_a_request_that_waits_is_spoken_once_it_is_awake(
    acme: Tenant, sleeping: Deployment, narrow_worker: WorkerProcess
) -> None:
    def start_when_woken() -> None:
        woken = Deployment.objects.filter(pk=sleeping.pk, state=Deployment.State.STARTING)
        until(woken.exists, what="a request")
        Worker.objects.create(
            deployment=sleeping,
            provider_id="w1",
            url=narrow_worker.url,
            state=Worker.State.READY,
            capabilities=sleeping.capabilities,
            last_seen_at=timezone.now(),
        )
        connection.close()

    until_known(acme)
    starter = threading.Thread(target=start_when_woken)
    starter.start()
    spoken = prefer(acme, 'respond-async, WAIT="500"')
    starter.join()
    assert spoken.status_code == 200
    assert spoken.headers["Preference-Applied"] == "wait=120"
    record = acme.settled()
    assert (record.state, record.deployment_id) == ("ok", sleeping.pk)


def test_a_preference_that_makes_no_sense_is_no_error(acme: Tenant, tone: Worker) -> None:
    for wish in ("wait=soon", "wait", "handling=lenient", "wait=-1", ",,", "wait=1e3"):
        response = prefer(acme, wish, "Hi.")
        assert response.status_code == 200
        assert "Preference-Applied" not in response.headers
