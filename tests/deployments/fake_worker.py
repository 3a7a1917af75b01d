"""Stands in for a speech worker's `/ready`, with whatever status and body a test sets."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from gpu_worker.protocol import PROTOCOL


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


class FakeWorker:
    """`delay` holds each answer back until it is set; `headers` are those of the last question."""

    def __init__(self) -> None:
        self.status = 200
        self.body: bytes = json.dumps(readiness()).encode()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.headers: dict[str, str] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def says(self, http_status: int = 200, /, **changes: Any) -> None:
        self.status = http_status
        self.body = json.dumps(readiness(**changes)).encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeWorker

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that gave up waiting is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        fake = self.server.fake
        fake.headers = dict(self.headers)
        fake.may_answer.wait()
        self.send_response(fake.status)
        self.send_header("Content-Length", str(len(fake.body)))
        self.end_headers()
        self.wfile.write(fake.body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""
