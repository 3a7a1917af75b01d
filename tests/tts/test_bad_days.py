"""What a caller and the record see when something breaks in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis
from django.conf import settings

from apps.accounts.services import bump_policy
from apps.deployments.models import Worker
from apps.usage.models import OrganizationLimits, UsageRecord
from apps.usage.reconciler import reconcile
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import Server, Tenant, deploy, test_database_url, until, wait_for_route
from tests.tts.killing import killed_when_busy

LONG = "A tone of some length, and then some more of it. " * 16


@contextlib.contextmanager
def streaming(tenant: Tenant, text: str = LONG, **body: object) -> Iterator[httpx.Response]:
    """A streamed answer whose first audio has arrived."""
    request = tenant.client.build_request(
        "POST",
        "/generate",
        json={"text": text, "stream": True, **body},
        headers={"X-API-Key": tenant.live},
    )
    response = tenant.client.send(request, stream=True)
    try:
        assert response.status_code == 200, response.read()
        yield response
    finally:
        response.close()


def leases_of(tenant: Tenant) -> int:
    client = redis.Redis.from_url(settings.REDIS_URL)
    try:
        return int(client.zcard(f"{{{tenant.organization.id}}}:leases:live"))
    finally:
        client.close()


@pytest.fixture
def own_worker(tmp_path: Path) -> Iterator[WorkerProcess]:
    """A paced tone that a test may kill."""
    with running_worker(tmp_path, ENGINE="tone", THREADS="2", TONE_REAL_TIME_FACTOR="0.2") as worker:
        yield worker


def test_a_client_that_leaves_cancels_the_work_and_pays_for_what_it_heard(
    acme: Tenant, tone: Worker, tone_worker: WorkerProcess
) -> None:
    with streaming(acme) as response:
        received = 0
        for chunk in response.iter_raw():
            received += len(chunk)
            if received > 400_000:
                break
    record = acme.settled()
    assert record.state == UsageRecord.State.CANCELLED
    assert 0 < record.characters_charged < len(LONG)
    tone_worker.wait_until_idle()
    until(lambda: leases_of(acme) == 0, what="the lease")


def test_a_client_that_leaves_before_the_whole_is_made_pays_nothing(
    acme: Tenant, tone: Worker, tone_worker: WorkerProcess
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        acme.client.post(
            "/generate",
            json={"text": LONG},
            headers={"X-API-Key": acme.live},
            timeout=httpx.Timeout(5, read=0.5),
        )
    record = acme.settled()
    assert (record.state, record.characters_charged) == (UsageRecord.State.CANCELLED, 0)
    tone_worker.wait_until_idle()


def test_a_worker_killed_in_mid_stream_never_looks_whole(acme: Tenant, own_worker: WorkerProcess) -> None:
    row = deploy(own_worker, name="fragile")
    wait_for_route(acme, model="tone")
    with streaming(acme) as response:
        chunks = response.iter_raw()
        received = 0
        while received < 300_000:
            received += len(next(chunks))
        own_worker.stop()
        with pytest.raises(httpx.RemoteProtocolError):
            list(chunks)
    record = acme.settled()
    assert record.state == UsageRecord.State.CUT
    assert record.error_code == "worker_gone"
    assert 0 < record.characters_charged < len(LONG)
    failed = [line for line in acme.server.log().splitlines() if '"worker failed"' in line]
    assert str(row.pk) in failed[-1]  # it rests, so that others are asked first


def test_a_whole_answer_is_taken_over_by_another_worker(
    acme: Tenant, own_worker: WorkerProcess, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("second")
    with running_worker(folder, ENGINE="tone", THREADS="2", TONE_REAL_TIME_FACTOR="0.2") as second:
        first_row, second_row = deploy(own_worker, name="first"), deploy(second, name="second")
        # The router prefers the one that reports less to do.
        Worker.objects.filter(pk=second_row.pk).update(in_flight=5)
        wait_for_route(acme, model="tone")

        with killed_when_busy(own_worker):
            response = acme.generate("A tone of some length. " * 8)
    assert response.status_code == 200
    record = acme.settled()
    assert record.state == UsageRecord.State.OK
    assert record.deployment_id == second_row.deployment_id
    assert record.deployment_id != first_row.deployment_id


def test_a_whole_answer_that_nobody_can_finish_is_502(acme: Tenant, own_worker: WorkerProcess) -> None:
    deploy(own_worker, name="fragile")
    wait_for_route(acme, model="tone")

    with killed_when_busy(own_worker):
        response = acme.generate(LONG)
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "speech_failed"
    record = acme.settled()
    assert (record.state, record.characters_charged) == (UsageRecord.State.FAILED, 0)


def test_a_dead_worker_is_passed_over_for_one_that_lives(
    acme: Tenant, own_worker: WorkerProcess, tone: Worker
) -> None:
    deploy(own_worker, name="dead")
    own_worker.stop()
    for _ in range(4):
        assert acme.generate("Hi.", model="tone").status_code == 200
    assert {record.state for record in acme.records()} <= {"ok", "open"}


def test_only_a_dead_worker_is_503_with_its_request_id(acme: Tenant, own_worker: WorkerProcess) -> None:
    deploy(own_worker, name="dead")
    wait_for_route(acme, model="tone")
    own_worker.stop()
    response = acme.generate("Hi.", model="tone")
    assert response.status_code == 503
    assert response.json()["error"]["request_id"] == response.headers["X-Request-Id"]
    assert int(response.headers["Retry-After"]) >= 1
    record = acme.settled()
    assert (record.state, record.characters_charged) == (UsageRecord.State.FAILED, 0)


def test_over_the_limit_of_requests_at_once(acme: Tenant, tone: Worker) -> None:

    OrganizationLimits.objects.create(organization=acme.organization, concurrent_requests=1)
    bump_policy(organization_id=acme.organization.id)
    with streaming(acme):
        response = acme.generate("Hi.", model="tone")
    assert response.status_code == 429
    assert response.json()["error"]["code"] == "too_many_concurrent_requests"
    assert int(response.headers["Retry-After"]) >= 1
    acme.settled()
    until(lambda: acme.generate("Hi.", model="tone").status_code == 200, what="the lease")


def test_over_the_rate(acme: Tenant, cpu: Worker) -> None:

    OrganizationLimits.objects.create(organization=acme.organization, requests_per_minute=2)
    bump_policy(organization_id=acme.organization.id)
    redis_client = redis.Redis.from_url(settings.REDIS_URL)
    redis_client.delete(f"{{{acme.organization.id}}}:rate:live")
    redis_client.close()
    answers = [acme.generate("Hi.") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert len(acme.records()) == 2


def test_redis_that_forgot_everything(acme: Tenant, cpu: Worker) -> None:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    client.close()
    assert acme.generate("Hi.").status_code == 200


@pytest.mark.slow
def test_a_killed_speech_process_leaves_no_open_row(acme: Tenant, tone: Worker, tmp_path: Path) -> None:
    doomed = Server(tmp_path, test_database_url())
    try:
        doomed.wait_until_up()
        with httpx.Client(base_url=doomed.url, timeout=30) as client:
            tenant = Tenant(doomed, acme.organization, acme.owner, acme.live, acme.test, client)
            wait_for_route(tenant, model="tone")
            with streaming(tenant) as response:
                chunks = response.iter_raw()
                next(chunks)
                os.killpg(doomed.process.pid, signal.SIGKILL)
                with pytest.raises(httpx.TransportError):
                    list(chunks)
        assert tenant.records()[0].state == UsageRecord.State.OPEN
        assert reconcile() == 0  # its last heartbeat is fresh: not yet
        until(lambda: reconcile(include_dead_here=True) == 1, what="the process to be gone")
        record = tenant.records()[0]
        assert (record.state, record.characters_charged) == (UsageRecord.State.CUT, 0)
        assert record.error_code == "process_died"
    finally:
        doomed.stop()


def test_time_to_first_audio_is_recorded_for_streams_only_up_to_the_first_byte(
    acme: Tenant, tone: Worker
) -> None:
    started = time.monotonic()
    acme.generate("A tone of some length. " * 6, stream=True)
    took_ms = (time.monotonic() - started) * 1000
    record = acme.settled()
    assert record.ttfb_ms is not None
    assert record.ttfb_ms < record.total_ms / 2
    assert record.total_ms <= took_ms
