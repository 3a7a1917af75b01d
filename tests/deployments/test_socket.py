"""What the supervisor's socket refuses, and how it says so."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from apps.deployments.providers.local import layout
from tests.deployments.local_provider import Supervisor

GOOD = {"name": "test", "engine": "tone", "replicas": 0, "generation": 1}
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(supervisor: Supervisor) -> Ask:
    """Sends raw bytes; answers status and decoded body."""

    def send(method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = layout.connect(supervisor.layout.socket, 5)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    return send


BAD_BODIES: list[tuple[bytes, str]] = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"\xff", "not JSON"),
    (b"[" * 15_000, "not JSON"),
    (b"[]", "must be a JSON object"),
    (b'{"name": "test"}', "engine is missing"),
    (json.dumps(GOOD | {"env": {"SECRET": "x"}}).encode(), "'env' is not a known field"),
    (json.dumps(GOOD | {"name": "../escape"}).encode(), "name must be"),
    (json.dumps(GOOD | {"name": ""}).encode(), "name must be"),
    (json.dumps(GOOD | {"name": "x" * 64}).encode(), "name must be"),
    (json.dumps(GOOD | {"engine": "cpu\nPATH=/tmp"}).encode(), "engine must be"),
    (json.dumps(GOOD | {"engine": None}).encode(), "engine must be a string"),
    (json.dumps(GOOD | {"replicas": -1}).encode(), "replicas must be a whole number from 0 to 64"),
    (json.dumps(GOOD | {"replicas": 65}).encode(), "replicas must be a whole number from 0 to 64"),
    (json.dumps(GOOD | {"replicas": True}).encode(), "replicas must be a whole number"),
    (json.dumps(GOOD | {"replicas": 1.0}).encode(), "replicas must be a whole number"),
    (json.dumps(GOOD | {"replicas": "1"}).encode(), "replicas must be a whole number"),
    (json.dumps(GOOD | {"generation": 0}).encode(), "generation must be"),
]


@pytest.mark.parametrize(("body", "words"), BAD_BODIES, ids=lambda value: str(value)[:40])
def test_bad_bodies_are_refused_with_the_reason(ask: Ask, body: bytes, words: str) -> None:
    status, answer = ask("PUT", f"/deployments/{uuid4()}", body)
    assert (status, answer["error"]["code"]) == (400, "invalid_request")
    assert words in answer["error"]["message"]
    assert ask("GET", "/deployments") == (200, {"deployments": []})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_id_must_be_a_uuid(ask: Ask, method: str) -> None:
    status, answer = ask(method, "/deployments/passwd", json.dumps(GOOD).encode())
    assert (status, answer["error"]["message"]) == (400, "The id must be a UUID.")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_not_there_is_404(ask: Ask, method: str) -> None:
    assert ask(method, f"/deployments/{uuid4()}")[0] == 404


def test_other_paths_methods_and_sizes(ask: Ask) -> None:
    assert ask("GET", "/elsewhere")[0] == 404
    assert ask("POST", "/deployments")[0] == 405
    assert ask("PUT", f"/deployments/{uuid4()}", b" " * 20_000)[0] == 413
    assert ask("GET", "/health") == (200, {"status": "ok"})
