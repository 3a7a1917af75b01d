"""A server that answers as told, one answer after the other: for what no well-formed API would send."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.loopback import Handler, Loopback


@dataclass
class Reply:
    """`claims` is the Content-Length where it is not the truth; `drops` ends the connection instead."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    claims: int | None = None
    drops: bool = False
    is_chunked: bool = False
    drips_seconds: float = 0.0


@dataclass(frozen=True)
class Seen:
    """A request; `port` is its connection's."""

    port: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ScriptedHandler(Handler["Scripted"]):
    protocol_version = "HTTP/1.1"

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.owner.date or super().date_time_string(timestamp)

    def do_GET(self) -> None:  # noqa: N802 - called so by http.server
        self.owner.seen.append(
            Seen(self.client_address[1], self.command, self.path, dict(self.headers), self.body())
        )
        reply = self.owner.next_reply()
        if reply.drops:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        length = len(reply.body) if reply.claims is None else reply.claims
        framing = ("Transfer-Encoding", "chunked") if reply.is_chunked else ("Content-Length", str(length))
        for name, value in {"Content-Type": reply.content_type, **dict([framing]), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self._write(reply)
        if reply.claims is not None:
            self.close_connection = True

    def _write(self, reply: Reply) -> None:
        if not reply.drips_seconds:
            frame = b"%x\r\n%s\r\n0\r\n\r\n" % (len(reply.body), reply.body)
            self.wfile.write(frame if reply.is_chunked else reply.body)
            return
        for byte in reply.body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(reply.drips_seconds)

    def do_POST(self) -> None:  # noqa: N802 - called so by http.server
        self.do_GET()

    def do_PUT(self) -> None:  # noqa: N802 - called so by http.server
        self.do_GET()

    def do_PATCH(self) -> None:  # noqa: N802 - called so by http.server
        self.do_GET()

    def do_DELETE(self) -> None:  # noqa: N802 - called so by http.server
        self.do_GET()


class Scripted(Loopback):
    """Answers with `replies` in order; the last one stays. `date` is what it says the time is."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__(ScriptedHandler)
        self.replies = list(replies) or [Reply()]
        self.seen: list[Seen] = []
        self.date = ""
        self.on_reply: Callable[[], None] = lambda: None

    def next_reply(self) -> Reply:
        self.on_reply()
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
