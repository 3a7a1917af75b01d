"""A worker that clones, its storage, and a caller who holds the platform's secret."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from gpu_worker.protocol import sign_consent
from tests.gpu_worker.voices.recordings import loudest_hertz, sha256_of
from tests.gpu_worker.voices.storage import Storage, running_storage
from tests.gpu_worker.worker_process import WorkerProcess, running_worker

CONSENT_SECRET = "a-secret-of-the-tests-and-nothing-else"
RATE = 24_000


class Caller:
    """Asks a worker for speech with a cloned voice, as the platform does.

    `closed_origin` is one that the worker may fetch from and that nobody answers at.
    """

    def __init__(self, worker: WorkerProcess, closed_origin: str = "") -> None:
        self.worker = worker
        self.closed_origin = closed_origin
        self.cache = worker.log_path.parent / "voices"
        self.url = f"{worker.url}/generate"

    def body(self, data: bytes, **fields: Any) -> dict[str, Any]:
        """A request for the voice of that recording, with consent; None takes a field away."""
        voice = sha256_of(data)
        consent = sign_consent(voice, secret=CONSENT_SECRET)
        body = {"text": "One voice of many.", "format": "wav", "voice": voice, "consent": consent, **fields}
        return {name: value for name, value in body.items() if value is not None}

    def ask(self, data: bytes, **fields: Any) -> httpx.Response:
        """By name alone."""
        return httpx.post(self.url, json=self.body(data, **fields), timeout=60)

    def send(self, data: bytes, **fields: Any) -> httpx.Response:
        """With the recording."""
        return self.send_parts(json.dumps(self.body(data, **fields)).encode(), data)

    def send_parts(self, request: bytes, reference: bytes, **names: str) -> httpx.Response:
        """Two parts as they are given."""
        parts = [
            (names.get("first", "request"), ("request.json", request, "application/json")),
            (names.get("second", "reference"), ("voice", reference, "application/octet-stream")),
        ]
        return httpx.post(self.url, files=parts, timeout=60)

    def kept(self) -> set[str]:
        """Whose recordings are on disk."""
        return {path.name.split("-")[0] for path in self.cache.iterdir()}


def hertz_of(response: httpx.Response) -> float:
    """The pitch of an answer in WAV."""
    assert response.status_code == 200, response.text
    samples = np.frombuffer(response.content[44 : len(response.content) // 2 * 2], "<i2")
    return loudest_hertz(samples, RATE)


def error_of(response: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and field of a refusal, which says why in a sentence."""
    error = response.json()["error"]
    assert error["message"].endswith(".")
    return response.status_code, error["code"], error["param"]


@pytest.fixture(scope="session")
def storage() -> Iterator[Storage]:
    """Where references lie."""
    with running_storage() as running:
        yield running


@pytest.fixture(scope="session")
def caller(tmp_path_factory: pytest.TempPathFactory, storage: Storage) -> Iterator[Caller]:
    """Of a worker that clones and may fetch from the storage."""
    folder: Path = tmp_path_factory.mktemp("cloning-worker")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        closed_origin = f"http://127.0.0.1:{closed.getsockname()[1]}"
    environment = {
        "ENGINE": "tone",
        "CONSENT_SECRET": CONSENT_SECRET,
        "VOICE_CACHE": str(folder / "voices"),
        "REFERENCE_ORIGINS": f"https://s3.example {storage.origin},{closed_origin}",
    }
    with running_worker(folder, **environment) as worker:
        yield Caller(worker, closed_origin)
        assert worker.process.poll() is None
