"""A bare socket to a worker, for what no HTTP client would send."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class RawAnswer:
    """An answer of HTTP/1.1 as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """What a refusal says."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        return error


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A connection, closed afterwards."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=_TIMEOUT_SECONDS) as connection:
        yield connection


def head(path: str = "/generate", method: str = "POST", **headers: object) -> bytes:
    """The head of a request; `_` in the name of a header stands for `-`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: worker"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def read_to_end(connection: socket.socket) -> bytes:
    """All that comes until the worker closes; an abort is an end, too."""
    data = b""
    try:
        while part := connection.recv(65_536):
            data += part
    except ConnectionResetError:
        pass
    return data


def parsed(data: bytes) -> RawAnswer:
    """The one answer that was read to its end."""
    first, _, body = data.partition(b"\r\n\r\n")
    status, *lines = first.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return RawAnswer(int(status.split()[1]), headers, body)


def read_one(connection: socket.socket) -> RawAnswer:
    """The next answer, whose length its head tells."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    missing = int(parsed(data).headers["content-length"]) - len(parsed(data).body)
    while missing > 0:
        part = _some(connection)
        data += part
        missing -= len(part)
    return parsed(data)


def _some(connection: socket.socket) -> bytes:
    part = connection.recv(65_536)
    assert part, "the worker closed amid its answer"
    return part
