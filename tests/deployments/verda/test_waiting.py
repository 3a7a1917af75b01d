"""Waiting for deployments and for the programs in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.deployments.providers.verda import VerdaClient
from apps.deployments.providers.verda.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    NotHealthy,
    TimedOut,
    Unauthorized,
)
from apps.deployments.providers.verda.types import ContainerSpec
from tests.deployments.verda.conftest import Make, Time
from tests.deployments.verda.scripted import Reply, Scripted
from tests.fakes.verda import FakeVerda

STATUS = "/container-deployments/vf-tts/status"
LOADING = Reply(503, b'{"message":"loading"}')


def test_it_returns_when_healthy(
    client: VerdaClient, verda: FakeVerda, time: Time, spec: ContainerSpec
) -> None:
    client.create_container_deployment(spec)
    client.wait_for_healthy("vf-tts", timeout_seconds=100, poll_seconds=10)
    assert verda.containers["vf-tts"].status == "healthy"
    assert time.slept == [10.0] * 7


@pytest.mark.parametrize(
    ("status", "permanent"), [("unhealthy", True), ("quota_reached", False), ("paused", True)]
)
def test_it_does_not_wait_for_what_will_not_come(
    client: VerdaClient, verda: FakeVerda, time: Time, spec: ContainerSpec, status: str, permanent: bool
) -> None:
    client.create_container_deployment(spec)
    verda.containers["vf-tts"].becomes(status)
    with pytest.raises(NotHealthy, match=status) as caught:
        client.wait_for_healthy("vf-tts")
    assert (caught.value.code, caught.value.permanent) == (status, permanent)
    assert not time.slept


def test_an_unknown_status_is_waited_out(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    verda.containers["vf-tts"].becomes("healthy")
    verda.faults.add(STATUS, kind="unknown_status", times=2)
    client.wait_for_healthy("vf-tts")
    assert verda.calls.count(STATUS) == 3


def test_an_api_that_is_away_is_waited_out(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    client.create_container_deployment(spec)
    verda.containers["vf-tts"].becomes("healthy")
    verda.faults.add(STATUS, kind="unavailable", times=7)
    client.wait_for_healthy("vf-tts")


def test_a_long_retry_after_is_waited_out(
    client: VerdaClient, verda: FakeVerda, time: Time, spec: ContainerSpec
) -> None:
    client.create_container_deployment(spec)
    verda.faults.add(STATUS, kind="rate_limited", seconds=200)
    client.wait_for_healthy("vf-tts")
    assert time.slept == [200.0]


def test_the_end_of_patience_tells_the_last_status(
    client: VerdaClient, verda: FakeVerda, time: Time, spec: ContainerSpec
) -> None:
    verda.durations.image_pulling = 10_000
    client.create_container_deployment(spec)
    with pytest.raises(TimedOut, match="image_pulling") as caught:
        client.wait_for_healthy("vf-tts", timeout_seconds=60, poll_seconds=5)
    assert caught.value.last_status == "image_pulling"
    assert caught.value.retryable
    assert sum(time.slept) == 60


def test_a_deployment_that_is_not_there_is_told(client: VerdaClient) -> None:
    with pytest.raises(NotFound):
        client.wait_for_healthy("vf-tts")


def test_a_forbidden_look_is_told(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add(STATUS, kind="forbidden")
    with pytest.raises(Forbidden):
        client.wait_for_healthy("vf-tts")


# ---- the program in the deployment ------------------------------------------------------------------


@pytest.fixture
def worker() -> Iterator[Scripted]:
    with Scripted(LOADING, LOADING, Reply(body=b'{"models":["chatterbox"]}')) as server:
        yield server


def test_a_sleeping_deployment_is_woken_and_waited_for(
    client: VerdaClient, verda: FakeVerda, time: Time, spec: ContainerSpec, worker: Scripted
) -> None:
    verda.backend = worker.url
    made = client.create_container_deployment(spec)
    verda.clock.advance(120)
    ready = client.wait_for_application_ready(
        made.endpoint_base_url, verda.inference_key, worker_token="worker-secret"
    )
    assert ready == {"models": ["chatterbox"]}
    assert time.slept == [5.0, 5.0]
    assert [seen.path for seen in worker.seen] == ["/ready"] * 3
    assert worker.seen[0].headers["X-Worker-Token"] == "worker-secret"


def test_a_refused_key_is_told_at_once(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    made = client.create_container_deployment(spec)
    with pytest.raises(Unauthorized) as caught:
        client.wait_for_application_ready(made.endpoint_base_url, "wrong-inference-key")
    assert "wrong-inference-key" not in str(caught.value)


@pytest.mark.parametrize(
    "reply", [Reply(404), Reply(502, b"<html>", "text/html"), Reply(drops=True), Reply(429), LOADING]
)
def test_all_else_is_pending(client: VerdaClient, time: Time, reply: Reply) -> None:
    with Scripted(reply, Reply(body=b"fine", content_type="text/plain")) as server:
        assert client.wait_for_application_ready(server.url, "inference-key", path="/health") == {}
    assert time.slept == [5.0]
    assert server.seen[0].headers["Authorization"] == "Bearer inference-key"


def test_the_end_of_patience_tells_the_last_answer(client: VerdaClient) -> None:
    with Scripted(LOADING) as server, pytest.raises(TimedOut, match="503") as caught:
        client.wait_for_application_ready(server.url, "inference-key", timeout_seconds=20)
    assert "loading" in caught.value.last_status
    assert len(server.seen) == 5


def test_the_data_plane_does_not_count_as_the_api(make: Make) -> None:
    class Limiter:
        def acquire(self) -> None:
            raise AssertionError("asked")

    with Scripted() as server:
        assert make(limiter=Limiter()).wait_for_application_ready(server.url, "inference-key") == {}


@pytest.mark.parametrize(
    ("url", "key", "path"),
    [
        ("containers.datacrunch.io/vf", "inference-key", "/ready"),
        ("https://containers.datacrunch.io/vf", "", "/ready"),
        ("https://containers.datacrunch.io/vf", "inference-key", "ready"),
        ("https://containers.datacrunch.io/vf", "inference-key…", "/ready"),
        ("https://containers.datacrunch.io/vf", "inference-key\n", "/ready"),
        ("https://[::1", "inference-key", "/ready"),
        ("https://containers.datacrunch.io:port/vf", "inference-key", "/ready"),
    ],
)
def test_what_makes_no_sense_is_not_sent(client: VerdaClient, url: str, key: str, path: str) -> None:
    with pytest.raises(InvalidRequest):
        client.wait_for_application_ready(url, key, path=path)


def test_the_key_does_not_leave_encryption(make: Make) -> None:
    client = make(base_url="https://api.verda.com/v1")
    with pytest.raises(InvalidRequest, match="https only"):
        client.wait_for_application_ready("http://containers.datacrunch.io/vf", "inference-key")
