"""ASGI wrappers around Django: a bound on bodies, and the server's start and stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from apps.core.errors import AppError, PayloadTooLarge, RequestTimeout
from apps.core.middleware import request_id_from

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_STALL_SECONDS: Final = 15.0


class _Refused(Exception):
    def __init__(self, error: AppError) -> None:
        super().__init__(error.code)
        self.error = error


class BodyLimit:
    """Refuses a body over `max_bytes` as soon as that is known; Django would spool it to disk whole.

    One whose next part does not come within `stall_seconds` is refused too: it would hold its connection.
    `larger` are other bounds by the beginning of a path. `body_of` gives a refusal its shape.
    """

    def __init__(
        self,
        app: App,
        *,
        max_bytes: int,
        stall_seconds: float = BODY_STALL_SECONDS,
        larger: Mapping[str, int] | None = None,
        body_of: Callable[[str, AppError, str], bytes] | None = None,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._stall_seconds = stall_seconds
        self._larger = larger or {}
        self._body_of = body_of or _house_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = self._max_bytes_of(scope["path"])
        try:
            _refuse_declared(scope, max_bytes)
            await self._app(scope, _Body(receive, max_bytes, self._stall_seconds).receive, send)
        except _Refused as refused:
            await self._refuse(refused.error, scope, send)

    def _max_bytes_of(self, path: str) -> int:
        found = (size for beginning, size in self._larger.items() if path.startswith(beginning))
        return next(found, self._max_bytes)

    async def _refuse(self, error: AppError, scope: Scope, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = request_id_from(headers.get(b"x-request-id", b"").decode("latin-1"))
        content = self._body_of(scope["path"], error, request_id)
        sent = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": error.status, "headers": sent})
        await send({"type": "http.response.body", "body": content})


async def read_body(
    scope: Scope, receive: Receive, *, max_bytes: int, stall_seconds: float = BODY_STALL_SECONDS
) -> bytes:
    """The whole body. Raises `PayloadTooLarge`, `RequestTimeout`, or ConnectionResetError for who left."""
    try:
        _refuse_declared(scope, max_bytes)
        body, parts = _Body(receive, max_bytes, stall_seconds), []
        while not body.is_whole:
            message = await body.receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError
            parts.append(message.get("body", b""))
    except _Refused as refused:
        raise refused.error from refused
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _Body:
    """A body as it comes, within bounds; `receive` raises `_Refused`."""

    def __init__(self, receive: Receive, max_bytes: int, stall_seconds: float) -> None:
        self.is_whole = False
        self._receive = receive
        self._max_bytes = max_bytes
        self._stall_seconds = stall_seconds
        self._taken = 0

    async def receive(self) -> Message:
        try:
            # What comes after the body is the client's leaving, which takes as long as it takes.
            async with asyncio.timeout(None if self.is_whole else self._stall_seconds):
                message = await self._receive()
        except TimeoutError as error:
            raise _Refused(RequestTimeout("The rest of the body did not come.")) from error
        self._taken += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        if self._taken > self._max_bytes:
            raise _Refused(_too_large(self._max_bytes))
        return message


def _refuse_declared(scope: Scope, max_bytes: int) -> None:
    """Raises `_Refused` where the head already says that the body is too large."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > max_bytes:
            raise _Refused(_too_large(max_bytes))


def _too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {max_bytes} bytes.")


def _house_body(path: str, error: AppError, request_id: str) -> bytes:
    return json.dumps(error.body(request_id)).encode()


class Lifespan:
    """Answers lifespan messages: `startup` before the first request, `shutdown` after the last."""

    def __init__(
        self, app: App, *, startup: Callable[[], Awaitable[Any]], shutdown: Callable[[], Awaitable[Any]]
    ) -> None:
        self._app = app
        self._startup = startup
        self._shutdown = shutdown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        await self._startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._shutdown()
        await send({"type": "lifespan.shutdown.complete"})
