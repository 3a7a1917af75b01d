"""Sockets that read no more than an answer can be."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# What the far end may send beside the body we keep: a TLS handshake, headers, the frames of chunks.
MAX_BESIDE_BODY = 512 * 1024
# An event loop asks for 256 kB at once, which it then parses in one piece.
_READ_BYTES = 64 * 1024


class BoundedSocket(socket.socket):
    """Fails as if it was reset once `allow` is used up.

    A parser is no bound: it goes on for as long as empty lines, interim responses or the extensions of a
    chunk come, with all of a core, and none of that ends as headers or counts as a body.
    """

    _left = MAX_BESIDE_BODY
    is_flooded = False

    def allow(self, body_bytes: int) -> None:
        """For the next answer."""
        self._left = MAX_BESIDE_BODY + body_bytes

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        self._stop_where_used_up()
        data = super().recv(min(bufsize, _READ_BYTES), flags)
        self._left -= len(data)
        return data

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        self._stop_where_used_up()
        size = min(nbytes or memoryview(buffer).nbytes, _READ_BYTES)
        count = super().recv_into(buffer, size, flags)
        self._left -= count
        return count

    def _stop_where_used_up(self) -> None:
        if self._left <= 0:
            self.is_flooded = True
            raise ConnectionResetError(errno.ECONNRESET, "more than an answer")
