"""ASGI wrappers around Django: a bound on bodies, and the server's start and stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.http import JsonResponse

from apps.core.errors import PayloadTooLarge
from apps.core.middleware import request_id_from

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class _BodyTooLarge(Exception):
    pass


class BodyLimit:
    """Refuses a body over `max_bytes` as soon as that is known; Django would spool it to disk whole."""

    def __init__(self, app: App, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max_bytes:
            await self._refuse(headers, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_bytes:
                raise _BodyTooLarge
            return message

        try:
            await self._app(scope, counted, send)
        except _BodyTooLarge:
            await self._refuse(headers, send)

    async def _refuse(self, headers: dict[bytes, bytes], send: Send) -> None:
        request_id = request_id_from(headers.get(b"x-request-id", b"").decode("latin-1"))
        error = PayloadTooLarge(f"The body is larger than {self._max_bytes} bytes.")
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
