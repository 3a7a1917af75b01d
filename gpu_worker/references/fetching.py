"""Fetches a reference from a storage that this worker was told to trust.

By the standard library in a thread: one plain GET needs no client library, `http.client` follows no
redirect, asks no proxy, and sends a presigned target as it was signed.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Final
from urllib.parse import SplitResult, urlsplit

_FETCH_SECONDS: Final = 20.0
_CONNECT_SECONDS: Final = 5.0
_READ_BYTES: Final = 1 << 16
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class UrlRefusedError(ValueError):
    """This URL will not do, now or later; the words are for the caller."""


class FetchError(Exception):
    """The storage could not be reached or failed; another try may succeed."""


def origin_of(url: str, *, alone: bool = False) -> str:
    """`scheme://host:port` of an http or https URL, in lower case, the port always named.

    Raises ValueError where there is none, where the URL names a user, or, with `alone`, anything more.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError("not an http or https URL with a host and without a user")
    if alone and (parts.path.strip("/") or parts.query or parts.fragment):
        raise ValueError("more than an origin")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"


async def fetch_reference(url: str, origins: Iterable[str], max_bytes: int, executor: Executor) -> bytes:
    """The bytes at a URL of one of these origins. Raises UrlRefusedError or FetchError."""
    if not origins:
        raise UrlRefusedError("This worker fetches no references; send the reference as multipart/form-data.")
    try:
        origin = origin_of(url)
    except ValueError as error:
        raise UrlRefusedError("reference_url is not an http or https URL.") from error
    if origin not in origins:
        raise UrlRefusedError("reference_url does not lie in a storage that this worker may fetch from.")
    fetch = _Fetch(urlsplit(url), max_bytes)
    try:
        async with asyncio.timeout(_FETCH_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(executor, fetch.run)
    except TimeoutError as error:
        raise FetchError(f"The reference did not arrive within {_FETCH_SECONDS:g} s.") from error
    finally:
        fetch.abort()


class _Fetch:
    """One GET in a thread; `abort` ends it from another, wherever it is."""

    def __init__(self, url: SplitResult, max_bytes: int) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._give_up_at = time.monotonic() + _FETCH_SECONDS
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._aborted = False

    def abort(self) -> None:
        """Makes a read that is under way fail, and later ones too."""
        with self._lock:
            self._aborted = True
            if self._socket:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> bytes:
        """The body. Raises UrlRefusedError or FetchError."""
        connection = self._connection()
        try:
            connection.connect()
            with self._lock:
                self._socket = connection.sock
            if self._aborted:
                raise FetchError("The caller left.")
            query = f"?{self._url.query}" if self._url.query else ""
            target = (self._url.path or "/") + query
            connection.request("GET", target, headers={"Accept-Encoding": "identity"})
            return self._read(connection.getresponse())
        except (http.client.InvalidURL, UnicodeError) as error:
            raise UrlRefusedError("reference_url is not a valid URL.") from error
        except (OSError, http.client.HTTPException) as error:
            raise FetchError("The storage of reference_url could not be reached, or broke off.") from error
        finally:
            with self._lock:
                self._socket = None
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, self._url.port, timeout=_CONNECT_SECONDS, context=context
            )
        return http.client.HTTPConnection(host, self._url.port, timeout=_CONNECT_SECONDS)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        if response.status >= 500 or response.status == 429:
            raise FetchError(f"The storage of reference_url answered {response.status}.")
        if response.status != 200:
            raise UrlRefusedError(
                f"The storage of reference_url answered {response.status}; a presigned URL is good "
                "for minutes and must lead to the file without a redirect. Send a new one."
            )
        body = bytearray()
        while len(body) + (response.length or 0) <= self._max_bytes:
            part = response.read1(_READ_BYTES)
            if not part and response.length:
                raise FetchError("The storage of reference_url broke off.")
            if not part:
                return bytes(body)
            body += part
            if time.monotonic() > self._give_up_at:
                raise FetchError(f"The reference did not arrive within {_FETCH_SECONDS:g} s.")
        raise UrlRefusedError(f"The reference is larger than {self._max_bytes} bytes.")
