"""Receivers on loopback that count who comes, and say what a test has them say."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from apps.core.addresses import Network, clean_network, networks_of

LOOPBACK: tuple[Network, ...] = networks_of((clean_network("127.0.0.0/8"), clean_network("::1/128")))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Talk = Callable[[socket.socket], object]
"""What is done with each connection; it is closed after that."""


@dataclass(frozen=True)
class Request:
    line: str
    headers: dict[str, str]  # by lower-case names
    body: bytes


class Receiver:
    """Listens from the beginning; serves, each connection in a thread, until its context ends."""

    def __init__(
        self,
        talk: Talk | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=256)
        self.port: int = self._socket.getsockname()[1]
        self._talk = talk or self.answering(OK)
        self._tls = tls
        self._host = f"[{host}]" if ":" in host else host
        self._open: set[socket.socket] = set()
        self.connections = 0
        self.requests: list[Request] = []
        self.sent = 0  # bytes, by `flooding`
        self.let_go = threading.Event()  # set at the end, for whoever hangs

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    def talking(self, talk: Talk) -> Self:
        self._talk = talk
        return self

    def answering(self, *answers: bytes) -> Talk:
        """Reads requests and gives these in turn, the last one for ever."""
        left = list(answers)

        def talk(connection: socket.socket) -> None:
            while (request := read_request(connection)) is not None:
                self.requests.append(request)
                connection.sendall(left.pop(0) if len(left) > 1 else left[0])

        return talk

    def dripping(self, first: bytes, then: bytes, seconds: float) -> Talk:
        """`first` at once, then byte by byte."""

        def talk(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(first)
            for byte in then:
                if self.let_go.wait(seconds):
                    return
                connection.sendall(bytes([byte]))

        return talk

    def flooding(self, first: bytes, blob: bytes, total: int = 1 << 40) -> Talk:
        """`first`, and then `blob` until `total` bytes are sent or nobody takes them any more."""

        def talk(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(first)
            while self.sent < total:
                connection.sendall(blob)
                self.sent += len(blob)

        return talk

    def hanging(self, first: bytes = b"") -> Talk:
        def talk(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(first)
            self.let_go.wait(60)

        return talk

    def resetting(self, first: bytes = b"") -> Talk:
        """Breaks the connection off with RST after `first`."""

        def talk(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(first)
            time.sleep(0.1)  # or the reset overtakes what was sent
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        return talk

    def is_untouched(self) -> bool:
        """Whether nobody has come: connections queue, so ours is the first that it takes, or not."""
        before = self.connections
        with socket.create_connection(self._socket.getsockname()[:2]):
            deadline = time.monotonic() + 5
            while self.connections == before and time.monotonic() < deadline:
                time.sleep(0.005)
        return before == 0 and self.connections == 1

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._socket.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):  # the other side may leave whenever it likes
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            self._talk(connection)
        self._open.discard(connection)
        connection.close()


def read_request(connection: socket.socket) -> Request | None:
    """The next one, or nothing where the other side has left."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = connection.recv(65_536)
        if not more:
            return None
        raw += more
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    return Request(line, headers, body)
