"""Stands in for the local provider's supervisor: its HTTP on a Unix socket, with replicas as a test says."""

from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from apps.deployments.providers.base import Replica, Wanted
from apps.deployments.providers.local import wire
from apps.deployments.providers.local.layout import Layout, listen


class FakeSupervisor:
    """Remembers what it was asked; `replicas` are what every deployment has, `refusal` answers each PUT."""

    def __init__(self, layout: Layout) -> None:
        layout.create()
        self.wanted: dict[UUID, Wanted] = {}
        self.replicas: tuple[Replica, ...] = ()
        self.refusal: dict[str, Any] | None = None
        self.asked: list[tuple[str, UUID | None]] = []
        self._path = layout.socket
        self._server = _Server(self._path)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._path.unlink()

    def answer(self, method: str, deployment_id: UUID | None, body: object) -> tuple[int, object]:
        self.asked.append((method, deployment_id))
        if deployment_id is None:
            return 200, {"deployments": [str(key) for key in self.wanted]}
        if method == "PUT":
            if self.refusal is not None:
                return 409, {"error": self.refusal}
            self.wanted[deployment_id] = wire.wanted_from_json(deployment_id, body)
        if deployment_id not in self.wanted:
            return 404, {"error": {"code": "not_found", "message": "No such deployment.", "permanent": True}}
        if method == "DELETE":
            del self.wanted[deployment_id]
            return 202, {}
        return 200, wire.fleet_to_json(wire.Fleet(self.wanted[deployment_id], self.replicas))


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    fake: FakeSupervisor

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Handler, bind_and_activate=False)
        self.socket.close()
        # The supervisor's own way: temporary folders may be too deep for a socket's address.
        self.socket = listen(path)
        self.socket.setblocking(True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _answer(self) -> None:
        _, _, name = self.path.removeprefix("/").partition("/")
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length)) if length else None
        status, answer = self.server.fake.answer(self.command, UUID(name) if name else None, body)
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_PUT = do_DELETE = _answer  # noqa: N815 - names that http.server looks for

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""
