"""ASGI wrappers around Django: a bound on bodies, and the server's start and stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from django.http import JsonResponse

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
    """

    def __init__(self, app: App, *, max_bytes: int, stall_seconds: float = BODY_STALL_SECONDS) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max_bytes:
            await _refuse(self._too_large(), headers, send)
            return
        try:
            await self._app(scope, self._bounded(receive), send)
        except _Refused as refused:
            await _refuse(refused.error, headers, send)

    def _bounded(self, receive: Receive) -> Receive:
        taken, is_whole = 0, False

        async def bounded() -> Message:
            nonlocal taken, is_whole
            try:
                # What comes after the body is the client's leaving, which takes as long as it takes.
                async with asyncio.timeout(None if is_whole else self._stall_seconds):
                    message = await receive()
            except TimeoutError as error:
                raise _Refused(RequestTimeout("The rest of the body did not come.")) from error
            taken += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if taken > self._max_bytes:
                raise _Refused(self._too_large())
            return message

        return bounded

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body is larger than {self._max_bytes} bytes.")


async def _refuse(error: AppError, headers: Mapping[bytes, bytes], send: Send) -> None:
    request_id = request_id_from(headers.get(b"x-request-id", b"").decode("latin-1"))
    response = JsonResponse(error.body(request_id), status=error.status)
    sent = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(response.content)).encode()),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": sent})
    await send({"type": "http.response.body", "body": response.content})


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
