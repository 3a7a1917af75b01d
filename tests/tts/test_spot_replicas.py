"""The spot market takes a container's replica back while it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
from django.conf import settings

from apps.deployments.models import Deployment, ProviderKey, Worker
from tests.deployments.verda.stand_in_steps import up, with_token
from tests.fakes.verda import FakeVerda
from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import Tenant, deploy, until, wait_for_route

# Two seconds on the paced tone.
LONG = "A tone of some length, and then some more of it. " * 4


@pytest.fixture
def verda(acme: Tenant, tone_worker: WorkerProcess) -> Iterator[FakeVerda]:
    """A container with the paced tone behind Verda's front, which the server routes to."""
    tone_worker.wait_until_idle()
    with FakeVerda(backend=tone_worker.url) as verda, with_token(verda) as api:
        up(verda, api)
        ProviderKey.objects.create(provider="verda", inference_key=verda.inference_key)
        worker = deploy(tone_worker, name="spot")
        Deployment.objects.filter(pk=worker.deployment_id).update(provider="verda", kind="serverless")
        Worker.objects.filter(pk=worker.pk).update(url=f"{verda.url}/data/vf-tts")
        wait_for_route(acme, model="tone")
        verda.edge.passages.clear()
        yield verda


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def spoken(verda: FakeVerda, acme: Tenant, pool: ThreadPoolExecutor) -> Future[httpx.Response]:
    """A request that a replica is at."""
    answer = pool.submit(acme.generate, LONG, model="tone")
    until(lambda: verda.edge.serving.get("vf-tts") == 1, what="a replica to speak")
    return answer


def test_another_worker_is_tried(
    acme: Tenant, verda: FakeVerda, tone_worker: WorkerProcess, pool: ThreadPoolExecutor
) -> None:
    answer = spoken(verda, acme, pool)
    deploy(tone_worker, name="other")
    with pytest.raises(TimeoutError):
        answer.result(2 * settings.ROUTING_REFRESH_MS / 1000)  # until the server knows it
    verda.reclaim("vf-tts")
    assert answer.result().status_code == 200
    assert len(verda.edge.passages) == 1
    assert acme.settled().state == "ok"


def test_alone_it_is_told_to_try_again_and_the_next_one_is_spoken(
    acme: Tenant, verda: FakeVerda, pool: ThreadPoolExecutor
) -> None:
    answer = spoken(verda, acme, pool)
    verda.reclaim("vf-tts")
    assert answer.result().status_code == 503
    assert int(answer.result().headers["Retry-After"]) > 0
    until(lambda: acme.generate("Hi.", model="tone").status_code == 200, what="the next one")
