"""The stand-in's data plane: whom it lets in, what it starts and bills, and how it treats a stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.deployments.verda.stand_in_steps import Api, Worker, eventually, say, up, with_token
from tests.fakes.verda import FakeVerda
from tests.fakes.verda.specs import scaling_spec


@pytest.fixture
def verda() -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        yield fake


@pytest.fixture
def api(verda: FakeVerda) -> Iterator[Api]:
    with with_token(verda) as api:
        yield api


@pytest.fixture
def worker(verda: FakeVerda) -> Iterator[Worker]:
    with Worker() as worker:
        verda.backend = worker.url
        yield worker


@contextmanager
def many(verda: FakeVerda, worker: Worker, count: int) -> Iterator[None]:
    """That many requests at once, none of which ends before the block does."""
    worker.may_go_on.clear()
    threads = [threading.Thread(target=say, args=(verda,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    eventually(lambda: verda.edge.queued.get("vf-tts", 0) + verda.edge.serving.get("vf-tts", 0) == count)
    yield
    worker.may_go_on.set()
    for thread in threads:
        thread.join()


def replicas(api: Api) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = api("GET", "/container-deployments/vf-tts/replicas").json()["list"]
    return listed


def test_the_key_opens_and_stays_at_the_edge(verda: FakeVerda, api: Api, worker: Worker) -> None:
    assert say(verda).status_code == 404
    up(verda, api)
    assert say(verda, key="wrong").status_code == 401
    assert say(verda).text == "one," + "two" * 100
    path, headers, body = worker.seen[0]
    assert (path, body, headers["X-Request-Id"]) == ("/v1/speak?x=1", b"text", "r1")
    assert "Authorization" not in headers
    assert [passage.status for passage in verda.edge.passages] == [404, 401, 200]


def test_the_backend_may_depend_on_the_deployment(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    verda.backend = {"vf-tts": worker.url}.get
    assert say(verda).status_code == 200
    verda.backend = None
    assert say(verda).status_code == 502


def test_a_request_starts_a_replica_and_idleness_stops_it(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    assert replicas(api) == []
    say(verda)
    assert len(replicas(api)) == 1
    verda.clock.advance(899)
    assert len(replicas(api)) == 1
    verda.clock.advance(1)
    assert replicas(api) == []
    verda.clock.advance(1000)
    assert verda.bill() == 900 * Decimal("0.076") / 3600 == Decimal("0.019")


def test_a_queue_starts_more_after_the_delay(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    with many(verda, worker, 4):
        assert (len(replicas(api)), verda.edge.serving["vf-tts"]) == (1, 1)
        verda.clock.advance(29)
        assert len(replicas(api)) == 1
        verda.clock.advance(1)
        assert len(replicas(api)) == 3
        eventually(lambda: verda.edge.serving["vf-tts"] == 3)
    verda.clock.advance(900)
    assert replicas(api) == []


def test_the_least_replicas_run_from_the_pulling_of_the_image(verda: FakeVerda, api: Api) -> None:
    up(verda, api, scaling=scaling_spec(min_replica_count=2))
    assert len(replicas(api)) == 2
    assert verda.bill() == Decimal("0.002533")
    verda.reclaim("vf-tts")
    assert len(replicas(api)) == 2
    api("POST", "/container-deployments/vf-tts/pause")
    bill = verda.bill()
    verda.clock.advance(900)
    assert (replicas(api), verda.bill()) == ([], bill)
    assert say(verda).status_code == 503


def test_a_request_waits_while_the_image_is_pulled(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    api("POST", "/container-deployments/vf-tts/restart")
    with many(verda, worker, 1):
        assert worker.seen == []
        verda.clock.advance(65)
        eventually(lambda: len(worker.seen) == 1)


def test_a_request_is_too_old_or_purged(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    with many(verda, worker, 2):
        api("POST", "/container-deployments/vf-tts/purge-queue")
        eventually(lambda: [passage.status for passage in verda.edge.passages].count(503) == 1)
    up_again = scaling_spec(max_replica_count=1)
    api("PATCH", "/container-deployments/vf-tts/scaling", up_again)
    with many(verda, worker, 2):
        verda.clock.advance(301)
        eventually(lambda: [passage.status for passage in verda.edge.passages].count(504) == 1)


def test_a_request_need_not_wait_for_a_clock_at_rest(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    api("POST", "/container-deployments/vf-tts/restart")
    verda.edge.patience_seconds = 0
    assert say(verda).status_code == 504
    verda.clock.advance(65)
    assert say(verda).status_code == 200


def test_a_cold_start_takes_real_time(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    verda.edge.cold_start_seconds = 0.05
    with many(verda, worker, 1):
        assert replicas(api)[0]["status"] == "initializing"
        eventually(lambda: replicas(api)[0]["status"] == "running")


def test_an_answer_passes_piece_by_piece(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    worker.may_go_on.clear()
    with say(verda, stream=True) as answer:
        pieces = answer.iter_content(None)
        assert next(pieces) == b"one,"
        worker.may_go_on.set()
        assert b"".join(pieces) == b"two" * 100


@pytest.mark.parametrize("swallows", [False, True])
@pytest.mark.parametrize("closes", [False, True])
def test_a_client_that_leaves_ends_the_worker_s_request_or_not(
    verda: FakeVerda, api: Api, worker: Worker, swallows: bool, closes: bool
) -> None:
    up(verda, api)
    worker.closes = closes
    verda.edge.swallow_disconnects = swallows
    worker.may_go_on.clear()
    with say(verda, stream=True) as answer:
        assert next(answer.iter_content(None)) == b"one,"
    if not swallows:
        eventually(lambda: verda.edge.serving["vf-tts"] == 0)
    worker.may_go_on.set()
    eventually((worker.ended if swallows else worker.broke).is_set)


def test_a_whole_answer_may_be_buffered(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    verda.edge.buffer_whole_answers = True
    answer = say(verda)
    assert answer.text == "one," + "two" * 100
    assert answer.headers["Content-Length"] == "304"


@pytest.mark.parametrize("buffers", [False, True])
def test_a_cut_shows_or_is_hidden(verda: FakeVerda, api: Api, worker: Worker, buffers: bool) -> None:
    up(verda, api)
    worker.cuts, verda.edge.buffer_whole_answers = True, buffers
    if buffers:
        assert say(verda).status_code == 502
    else:
        with pytest.raises(requests.RequestException):
            say(verda)
    verda.edge.end_cut_bodies_cleanly = True
    assert say(verda).text == "one,"


def test_the_end_of_a_spot_replica_cuts_what_it_says(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    worker.may_go_on.clear()
    with say(verda, stream=True) as answer:
        pieces = answer.iter_content(None)
        assert next(pieces) == b"one,"
        verda.reclaim("vf-tts")
        with pytest.raises(requests.RequestException):
            next(pieces)


def test_the_edge_has_faults_of_its_own(verda: FakeVerda, api: Api, worker: Worker) -> None:
    up(verda, api)
    verda.faults.add("/data/vf-tts/*", kind="bad_gateway")
    assert say(verda).headers["Content-Type"] == "text/html"
    verda.faults.add("/data/vf-tts/*", kind="dropped_before")
    with pytest.raises(requests.ConnectionError):
        say(verda)
    assert say(verda).status_code == 200
