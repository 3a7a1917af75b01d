"""The HTTP side of the control plane, faults included; what begins with /data goes to the edge."""

from __future__ import annotations

import contextlib
import json
import select
import socket
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.loopback import Handler
from tests.fakes.verda.faults import Fault
from tests.fakes.verda.wire import Answer, Call, Refused, Request

if TYPE_CHECKING:
    from tests.fakes.verda.fake import FakeVerda

PREFIX = "/v1"
NO_JSON = object()


class ControlPlane(Handler[Any]):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def owner(self) -> FakeVerda:
        return cast("FakeVerda", self.server.owner)

    def get(self) -> None:
        self._serve()

    def post(self) -> None:
        self._serve()

    def _serve(self) -> None:
        if self.path.startswith("/data/"):
            self.owner.edge.serve(self)
            return
        request = self._request()
        if request is None:
            self.reply(Refused(404, "Not found").answer)
            return
        index = self.owner.calls.note(Call(request.method, request.path, request.body, request.query))
        if self.owner.at_call(request, False):
            self.drop()
            return
        faults = self.owner.faults.take(request)
        answer = self._decide(request, faults)
        if self.owner.at_call(request, True):
            answer = None
        if answer is None or any(fault.kind == "dropped_after" for fault in faults):
            self.drop()
            return
        self.owner.calls.answered(index, answer.status)
        self.reply(answer)

    do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return super().body()
        pieces = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _request(self) -> Request | None:
        body, parts = self.body(), urlsplit(self.path)
        if not parts.path.startswith(PREFIX + "/"):
            return None
        try:
            parsed: Any = json.loads(body) if body else None
        except ValueError:
            parsed = NO_JSON
        return Request(
            self.command,
            parts.path.removeprefix(PREFIX),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            parsed,
            self.headers.get("Authorization", ""),
        )

    def _decide(self, request: Request, faults: list[Fault]) -> Answer | None:
        """None if the connection is to be dropped without an answer, and without anything done."""
        for fault in faults:
            if fault.kind == "slow":
                self.owner.closing.wait(fault.seconds)
            if fault.kind == "dropped_before":
                return None
            if instead := fault.instead():
                return instead
        if request.body is NO_JSON:
            return Refused(400, "The body is not JSON").answer
        request.marks |= {fault.kind for fault in faults}
        with self.owner.state.lock:
            answer = self.owner.router.answer(request)
        if answer.status < 400:
            for fault in faults:
                answer = fault.spoil(answer)
        return answer

    def reply(self, answer: Answer) -> None:
        headers = {"Content-Type": answer.content_type, **answer.headers}
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.payload)))
        self.end_headers()
        if answer.status != 204 and self.command != "HEAD":
            self.wfile.write(answer.payload)

    def client_left(self) -> bool:
        """Whether the other side has closed its connection."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):  # closed by our own side meanwhile
            return True

    def drop(self) -> None:
        """Ends the connection as a machine that dies would."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
