"""Requests that `/generate` refuses, each with its status, its code and a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.gpu_worker.framed import ACCEPT
from tests.gpu_worker.worker_process import WorkerProcess, running_worker

JSON = {"Content-Type": "application/json"}
TOKEN = "a-token-of-the-tests"


def assert_refused(response: httpx.Response, status: int, code: str, param: str | None = None) -> None:
    """The status, and a body that says why."""
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)
    assert error["message"].endswith(".")
    assert error["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("headers", [{}, ACCEPT])
@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"text": " "}, 400, "invalid", "text"),
        ({"text": 5}, 400, "invalid", "text"),
        ({"text": "x" * 10_001}, 400, "invalid", "text"),
        ({"speed": "fast"}, 400, "invalid", "speed"),
        ({"speed": 4.1}, 400, "invalid", "speed"),
        ({"pitch": 1}, 400, "invalid", "pitch"),
        ({"format": "ogg"}, 400, "invalid", "format"),
        ({"format": "mp3", "sample_rate": 17_000}, 400, "invalid", "sample_rate"),
        ({"normalize": "on", "language": "fr"}, 400, "invalid", "language"),
        ({"language": "fr"}, 400, "invalid", "language"),
        ({"timestamps": "character"}, 400, "invalid", "timestamps"),
        ({"text": "a[pause:10s]" * 13}, 400, "invalid", "text"),
        ({"text": "999999999 " * 1000}, 400, "invalid", "text"),
        ({"text": "999999999 " * 300, "speed": 0.25}, 400, "invalid", "text"),
        ({"text": "A [sneeze].", "unknown_tags": "error"}, 400, "invalid", "text"),
        ({"voice": "emma"}, 404, "voice_not_found", "voice"),
        ({"voice": "a" * 64}, 400, "invalid", "voice"),
        ({"model": "tts-1"}, 404, "model_not_found", "model"),
        ({"text": "😀"}, 422, "cannot_speak", "text"),
        ({"text": "你好，世界。"}, 422, "cannot_speak", "text"),
        ({"text": "..."}, 422, "cannot_speak", "text"),
        ({"text": "[laugh]"}, 422, "cannot_speak", "text"),
    ],
)
def test_a_request_that_cannot_be_met(
    worker: WorkerProcess,
    headers: dict[str, str],
    change: dict[str, object],
    status: int,
    code: str,
    param: str,
) -> None:
    body = {"text": "Hello.", **change}
    response = httpx.post(f"{worker.url}/generate", json=body, headers=headers)
    assert_refused(response, status, code, param)


def test_refusals_say_what_there_is(worker: WorkerProcess) -> None:
    response = httpx.post(f"{worker.url}/generate", json={"text": "Hello.", "voice": "alloy"})
    assert response.json()["error"]["message"] == "There is no such voice here; there is heart."
    response = httpx.post(f"{worker.url}/generate", json={"text": "Hello.", "model": "tts-1"})
    assert response.json()["error"]["message"] == "There is no such model here; there is hibari."


def test_the_silences_of_a_request_have_a_bound(worker: WorkerProcess) -> None:
    text = "a[pause:10s]" * 12
    response = httpx.post(f"{worker.url}/generate", json={"text": text}, timeout=30)
    assert int(response.headers["x-audio-ms"]) >= 120_000
    response = httpx.post(f"{worker.url}/generate", json={"text": f"{text} b [pause:1ms]"})
    assert response.json()["error"]["message"] == (
        "text: its pauses last 120.001 s; at most 120 s of silence are made in one request."
    )


def test_a_deadline_that_has_passed_says_when_to_come_again(worker: WorkerProcess) -> None:
    response = httpx.post(f"{worker.url}/generate", json={"text": "Hello. " * 40, "deadline_ms": 1})
    assert_refused(response, 503, "deadline_exceeded")
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["error"]["retryable"] is False


@pytest.mark.parametrize("language", ["en", "en-US", "EN_gb"])
def test_its_own_language_is_accepted_with_any_region(worker: WorkerProcess, language: str) -> None:
    response = httpx.post(f"{worker.url}/generate", json={"text": "Hello.", "language": language})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"text",
        b'{"text": "\xff"}',
        '{"text": "Hello."}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"text": "Hello.", "seed": ' + b"9" * 5000 + b"}",
        b'{"text": "\\ud800"}',
        b'{"text": "Hello.", "speed": NaN}',
        b'{"text": "Hello.", "\\ud800": 1}',
        b"[]",
        b"null",
    ],
)
def test_a_body_that_is_no_request(worker: WorkerProcess, body: bytes) -> None:
    response = httpx.post(f"{worker.url}/generate", content=body, headers=JSON)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
def test_another_content_type(worker: WorkerProcess, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    response = httpx.post(f"{worker.url}/generate", content=b'{"text": "Hello."}', headers=headers)
    assert_refused(response, 415, "unsupported_media_type")


def test_json_with_a_charset_is_json(worker: WorkerProcess) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    response = httpx.post(f"{worker.url}/generate", content=b'{"text": "Hello."}', headers=headers)
    assert response.status_code == 200


def test_a_body_that_says_it_is_too_large(worker: WorkerProcess) -> None:
    body = json.dumps({"text": "Hello.", "tenant": "x" * 260_000}).encode()
    assert_refused(httpx.post(f"{worker.url}/generate", content=body, headers=JSON), 413, "too_large")


def test_a_body_that_turns_out_too_large(worker: WorkerProcess) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 10_000

    response = httpx.post(f"{worker.url}/generate", content=chunks(), headers=JSON)
    assert_refused(response, 413, "too_large")


def test_paths_and_methods_that_are_not_there(worker: WorkerProcess) -> None:
    assert_refused(httpx.get(f"{worker.url}/nothing"), 404, "not_found")
    response = httpx.get(f"{worker.url}/generate")
    assert_refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


@pytest.fixture(scope="module")
def closed_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """A worker that wants its token."""
    folder = tmp_path_factory.mktemp("closed-worker")
    with running_worker(folder, ENGINE="tone", WORKER_TOKEN=TOKEN) as process:
        yield process


@pytest.mark.parametrize("path", ["/generate", "/cancel/req_1"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Worker-Token": "wrong"},
        {"X-API-Key": "wrong"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
    ],
)
def test_without_its_token(closed_worker: WorkerProcess, path: str, headers: dict[str, str]) -> None:
    response = httpx.post(f"{closed_worker.url}{path}", json={"text": "Hello."}, headers=headers)
    assert_refused(response, 401, "invalid_token")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Worker-Token": TOKEN},
        {"X-API-Key": TOKEN},
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": "Bearer of-the-edge", "X-Worker-Token": TOKEN},
    ],
)
def test_with_its_token(closed_worker: WorkerProcess, headers: dict[str, str]) -> None:
    response = httpx.post(f"{closed_worker.url}/generate", json={"text": "Hello."}, headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 200), ("/ready", 200), ("/metrics", 200), ("/docs", 200), ("/", 307)]
)
def test_probes_may_ask_for_the_head_alone(worker: WorkerProcess, path: str, status: int) -> None:
    response = httpx.head(f"{worker.url}{path}")
    assert (response.status_code, response.content) == (status, b"")


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_what_is_open_to_all(closed_worker: WorkerProcess, path: str) -> None:
    assert httpx.get(f"{closed_worker.url}{path}").status_code == 200
