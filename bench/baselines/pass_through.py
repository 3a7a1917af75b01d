"""The least a gateway can do: bare ASGI hands the upstream's bytes on, unchecked, uncounted and unlogged."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class PassThrough:
    """Streams where the upstream does, answers whole where it sends a length."""

    def __init__(self, upstream_url: str) -> None:
        self._url = f"{upstream_url}/generate"
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._hand_on(await _body(receive), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self._session:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _hand_on(self, body: bytes, send: Send) -> None:
        assert self._session is not None
        sent = {"Content-Type": "application/json"}
        async with self._session.post(self._url, data=body, headers=sent) as response:
            headers = [(b"content-type", b"audio/wav")]
            if response.content_length is not None:
                headers.append((b"content-length", b"%d" % response.content_length))
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            async for chunk in response.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


application = PassThrough(os.environ["UPSTREAM_URL"])
