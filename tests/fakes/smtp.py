"""A mail server on loopback that keeps what it is sent, and refuses some addresses."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class MailServer:
    """`refuses`: addresses answered 550. `hangs_up_on`: those at which it closes the connection.

    `on_mail` is called before a mail is answered.
    """

    def __init__(self) -> None:
        self.refuses: set[str] = set()
        self.hangs_up_on: set[str] = set()
        self.received: list[str] = []
        self.on_mail: Callable[[str], object] = str
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    owner: MailServer


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        owner, address = self.server.owner, ""
        self._say(220)
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                address = line.decode().partition("<")[2].partition(">")[0]
                if address in owner.hangs_up_on:
                    return
                self._say(550 if address in owner.refuses else 250)
            elif verb == b"DATA":
                self._say(354)
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                owner.on_mail(address)
                owner.received.append(address)
                self._say(250)
            elif verb == b"QUIT":
                self._say(221)
                return
            else:
                self._say(250)

    def _say(self, code: int) -> None:
        self.wfile.write(b"%d said by a stand-in\r\n" % code)
