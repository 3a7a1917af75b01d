"""OpenAI's client for JavaScript, from npm, against the running platform."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from apps.deployments.models import Worker
from tests.gpu_worker.worker_process import running_worker
from tests.platform import Tenant, deploy, wait_for_route
from tests.sdk import node_programs
from tests.sdk.node_programs import Program, result_of
from tests.tts.openai.conftest import Trace
from tests.tts.openai.test_errors import limit
from tests.tts.openai.test_speech import MEDIA_TYPES, seconds_of

# The first of them may have to install the client.
pytestmark = [pytest.mark.node, pytest.mark.timeout(node_programs.INSTALL_SECONDS + 60)]


@pytest.fixture(scope="module")
def installed() -> Path:
    return node_programs.install()


@pytest.fixture
def npm(installed: Path, acme: Tenant, trace: Trace) -> Program:
    return Program(
        installed, "openai.mjs", BASE_URL=f"{acme.server.url}/v1", API_KEY=acme.live, TRACE=trace.id
    )


def test_every_format(acme: Tenant, cpu: Worker, npm: Program, tmp_path: Path) -> None:
    assert npm.run("formats", str(tmp_path)) == MEDIA_TYPES
    seconds = acme.settled().audio_ms / 1000
    for format in MEDIA_TYPES:
        data = (tmp_path / format).read_bytes()
        assert seconds_of(data, format) == pytest.approx(seconds, abs=0.2), format


def test_a_stream_begins_before_its_end_is_made(acme: Tenant, tone: Worker, npm: Program) -> None:
    found = npm.run("stream")
    assert found["first_ms"] < found["last_ms"] / 2
    assert found["bytes"] / 48 == pytest.approx(acme.settled().audio_ms, abs=2)


def test_events(acme: Tenant, cpu: Worker, npm: Program) -> None:
    *deltas, done = npm.run("sse")
    record = acme.settled()
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    assert sum(delta["bytes"] for delta in deltas) / 48 == pytest.approx(record.audio_ms, abs=2)
    made = math.ceil(record.audio_ms / 50)
    usage = {"input_tokens": 12, "output_tokens": made, "total_tokens": 12 + made}
    assert done == {"type": "speech.audio.done", "usage": usage}


def test_models(cpu: Worker, npm: Program) -> None:
    found = npm.run("models")
    assert set(found["all"]) == {"hibari", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"}
    assert (found["one"]["id"], found["one"]["object"]) == ("tts-1", "model")


def test_fields_beside_openais_own(cpu: Worker, npm: Program) -> None:
    assert npm.run("extras") is True


def test_errors(cpu: Worker, npm: Program, trace: Trace) -> None:
    bad = "invalid_request_error"
    assert [
        (error["name"], error["status"], error["type"], error["code"], error["param"])
        for error in npm.run("errors")
    ] == [
        ("BadRequestError", 400, bad, None, "speed"),
        ("AuthenticationError", 401, "authentication_error", "invalid_api_key", None),
        ("NotFoundError", 404, bad, "model_not_found", "model"),
        ("UnprocessableEntityError", 422, bad, "cannot_speak", "input"),
        ("NotFoundError", 404, bad, "model_not_found", "model"),
    ]
    trace.attempts(5)


def test_nobody_there_to_speak_is_asked_again(acme: Tenant, npm: Program, trace: Trace) -> None:
    error = npm.run("refusal")
    assert (error["name"], error["status"]) == ("InternalServerError", 503)
    assert (error["code"], error["requestID"]) == ("no_worker_ready", trace.id)
    trace.attempts(3)


def test_a_quota_that_is_used_up_is_not_asked_again(
    acme: Tenant, cpu: Worker, npm: Program, trace: Trace
) -> None:
    limit(acme, characters_per_month=5)
    error = npm.run("refusal")
    assert (error["name"], error["status"], error["code"]) == ("RateLimitError", 429, "insufficient_quota")
    trace.attempts(1)


def test_a_worker_that_dies_breaks_the_stream(
    acme: Tenant, npm: Program, trace: Trace, tmp_path: Path
) -> None:
    with running_worker(tmp_path, ENGINE="tone", THREADS="1", TONE_REAL_TIME_FACTOR="0.2") as worker:
        deploy(worker, name="fragile")
        wait_for_route(acme, model="tone")
        with npm.running("cut") as process:
            assert process.stderr is not None
            assert process.stderr.readline() == "speaking\n"
            worker.stop()
            found = result_of(process)
    assert found["broke"], json.dumps(found)
    trace.attempts(1)
    assert acme.settled().state == "cut"
