"""Stands in for a speech worker's `/ready`, with whatever status and body a test sets."""

from __future__ import annotations

import json
import threading
from typing import Any

from gpu_worker.protocol import PROTOCOL
from tests.fakes.loopback import Handler, Loopback


def readiness(**changes: Any) -> dict[str, Any]:
    """The body of a worker that is ready."""
    body = {
        "protocol": PROTOCOL,
        "version": "1.0",
        "status": "ready",
        "engine": "cpu",
        "models": ["hibari"],
        "voices": ["heart"],
        "languages": ["en"],
        "features": [],
        "formats": ["wav", "pcm"],
        "sample_rate": 24000,
        "max_batch": 4,
        "queue": {"active": 0, "waiting": 0, "capacity": 128},
    }
    return body | changes


class FakeWorker(Loopback):
    """Clearing `may_answer` holds answers back; `headers` are those of the last question."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.status = 200
        self.body: bytes = json.dumps(readiness()).encode()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.headers: dict[str, str] = {}

    def says(self, http_status: int = 200, /, **changes: Any) -> None:
        self.status = http_status
        self.body = json.dumps(readiness(**changes)).encode()

    def release(self) -> None:
        self.may_answer.set()


class _Handler(Handler[FakeWorker]):
    def get(self) -> None:
        worker = self.owner
        worker.headers = dict(self.headers)
        worker.may_answer.wait()
        self.answer(worker.status, worker.body, "application/json")
