"""What stand-ins of HTTP services share: a server on a free port of loopback while their context is open."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

Owner = TypeVar("Owner", bound="Loopback")


class Loopback:
    """Serves with `handler`, a subclass of `Handler`, one thread a request; port 0 is any free one."""

    def __init__(self, handler: type[Handler[Any]], host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = _Server((host, port), handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://{self._server.server_address[0]}:{self._server.server_port}"

    def release(self) -> None:
        """Lets answers that are held back go, before the server stops."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: Loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that leaves or gives up waiting is what some tests are about."""


class Handler(BaseHTTPRequestHandler, Generic[Owner]):
    """Answers for its `owner`: `get` and `post`, where they are spoken to so."""

    server: _Server

    @property
    def owner(self) -> Owner:
        return cast(Owner, self.server.owner)

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def get(self) -> None:
        self.answer_json(405, {})

    def post(self) -> None:
        self.answer_json(405, {})

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def answer(self, status: int, payload: bytes, content_type: str, **headers: str) -> None:
        self.head(status, len(payload), content_type, **headers)
        self.wfile.write(payload)

    def answer_json(self, status: int, answer: object) -> None:
        self.answer(status, json.dumps(answer).encode(), "application/json")

    def head(self, status: int, length: int, content_type: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""
