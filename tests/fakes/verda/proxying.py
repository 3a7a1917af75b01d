"""One request on its way through the edge to a worker, and the answer on its way back, chunk by chunk."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.fakes.verda.wire import Answer

if TYPE_CHECKING:
    from tests.fakes.verda.edge import Edge
    from tests.fakes.verda.server import ControlPlane

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection"}
)
READ_BYTES = 65_536
WATCH_SECONDS = 0.02


class Forwarding:
    """`before_end` hears the status before the client hears the end, maybe more than once: a test that has
    its answer then finds everything as it is after the request."""

    def __init__(
        self, edge: Edge, handler: ControlPlane, backend: str, before_end: Callable[[int], None]
    ) -> None:
        self._edge, self._handler, self._before_end = edge, handler, before_end
        parts = urlsplit(backend)
        self._worker = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=600)
        self._wire: socket.socket | None = None
        self._client_is_gone = self._is_done = False
        self.bytes_passed = 0

    def run(self, path: str, body: bytes) -> None:
        try:
            self._ask(path, body)
            self._wire = self._worker.sock
            threading.Thread(target=self._watch, daemon=True).start()
            answer = self._worker.getresponse()
        except (OSError, http.client.HTTPException):
            self._no_answer()
        else:
            with answer:
                self._send(answer)
        finally:
            self._is_done = True
            self._worker.close()

    def _ask(self, path: str, body: bytes) -> None:
        """Passes everything on but the inference key, which is the edge's."""
        self._worker.putrequest(self._handler.command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in self._handler.headers.items():
            if name.lower() not in HOP_BY_HOP | {"authorization", "content-length"}:
                self._worker.putheader(name, value)
        if body or self._handler.command in ("POST", "PUT", "PATCH"):
            self._worker.putheader("Content-Length", str(len(body)))
        self._worker.endheaders(body or None)

    def _no_answer(self) -> None:
        if self._client_is_gone:
            self._handler.close_connection = True
            self._before_end(499)
            return
        self._before_end(502)
        self._handler.reply(Answer(502, {"message": "Bad gateway"}))

    # ---- the way back ---------------------------------------------------------------------------------
    def _send(self, answer: http.client.HTTPResponse) -> None:
        if self._edge.buffer_whole_answers:
            self._send_whole(answer)
            return
        length = answer.getheader("Content-Length")
        has_body = self._handler.command != "HEAD" and answer.status not in (204, 304)
        chunked = has_body and (length is None or self._edge.end_cut_bodies_cleanly)
        size = int(length) if has_body and length is not None else None
        if not has_body or size == 0:
            self._before_end(answer.status)
        self._head(answer, None if chunked else length, chunked=chunked)
        is_cut = has_body and self._stream(answer, size, chunked=chunked)
        self._before_end(answer.status)
        if is_cut and not self._edge.end_cut_bodies_cleanly:
            self._handler.drop()
        elif chunked and not self._client_is_gone:
            self._write(b"0\r\n\r\n")

    def _send_whole(self, answer: http.client.HTTPResponse) -> None:
        try:
            body, is_cut = answer.read(), False
        except http.client.IncompleteRead as cut:
            body, is_cut = cut.partial, True
        except OSError:
            body, is_cut = b"", True
        if is_cut and not self._edge.end_cut_bodies_cleanly:
            self._no_answer()
            return
        self._before_end(answer.status)
        self._head(answer, str(len(body)), chunked=False)
        if self._handler.command != "HEAD":
            self._write(body)

    def _stream(self, answer: http.client.HTTPResponse, size: int | None, *, chunked: bool) -> bool:
        """Whether the worker broke off."""
        sent = 0
        try:
            while piece := answer.read1(READ_BYTES):
                sent += len(piece)
                if sent == size and not chunked:
                    self._before_end(answer.status)
                self._write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                self.bytes_passed = sent
        except (OSError, http.client.HTTPException, ValueError):
            return True
        return size is not None and sent < size

    def _head(self, answer: http.client.HTTPResponse, length: str | None, *, chunked: bool) -> None:
        self._handler.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self._handler.send_header(name, value)
        if length is not None:
            self._handler.send_header("Content-Length", length)
        if chunked:
            self._handler.send_header("Transfer-Encoding", "chunked")
        self._handler.end_headers()

    def _write(self, data: bytes) -> None:
        """To a client that is gone nothing is written any more, but the worker may be read to its end."""
        if self._client_is_gone:
            return
        try:
            self._handler.wfile.write(data)
        except OSError:
            self._client_is_gone = True
            self._handler.close_connection = True
            if not self._edge.swallow_disconnects:
                raise

    def cut(self) -> None:
        """Ends the worker's request at once."""
        if self._wire is not None:
            with contextlib.suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)

    # ---- a client that leaves -------------------------------------------------------------------------
    def _watch(self) -> None:
        """Ends the worker's request as soon as nobody waits for its answer."""
        while not self._is_done:
            if self._handler.client_left():
                if self._is_done:
                    return
                self._client_is_gone = True
                if not self._edge.swallow_disconnects:
                    self.cut()
                return
            self._edge.fake.closing.wait(WATCH_SECONDS)
