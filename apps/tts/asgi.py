"""The lean door: the speech API straight on ASGI, in front of Django's handler.

The same endpoints as behind DRF's views, without middlewares, without the ORM but for what a cache misses (in
a thread): Django's handler alone costs more than all the rest of a speech request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import cast
from urllib.parse import parse_qsl

import structlog

from apps.core.addresses import client_address_in
from apps.core.asgi import App, Receive, Scope, Send, read_body
from apps.core.errors import AppError
from apps.core.middleware import request_id_from
from apps.tts.calls import Answer, Call
from apps.tts.endpoints import Endpoint, finished, refusal, respond
from apps.tts.routes import find

logger = structlog.get_logger("voiceflow.request")


class SpeechDoor:
    """Answers the paths of the speech API, and hands everything else on."""

    def __init__(self, app: App, *, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = find(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        endpoint, params = found
        call = _call(scope, params)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=call.request_id)
        try:
            call.body = await read_body(scope, receive, max_bytes=self._max_body_bytes)
        except ConnectionResetError:
            return
        except AppError as error:
            answer = finished(refusal(endpoint.surface, error, call.request_id), endpoint.surface, call)
            answer.headers["Connection"] = "close"
            await _send(answer, call, send)
            return
        await _answer_while_there(endpoint, call, receive, send)


async def _answer_while_there(endpoint: Endpoint, call: Call, receive: Receive, send: Send) -> None:
    """Cancels the work where the client leaves."""
    working = cast("asyncio.Task[None]", asyncio.current_task())
    leaving = asyncio.create_task(_cancel_when_left(receive, working))
    try:
        answer = await respond(endpoint, call)
        if leaving.done():
            # Python 3.11's `asyncio.wait_for`, which redis-py uses, swallows a cancellation now and then.
            working.uncancel()
            if answer.drop:
                answer.drop()
            return
        await _send(answer, call, send)
    except asyncio.CancelledError:
        if not leaving.done():
            raise
        working.uncancel()
    finally:
        leaving.cancel()


async def _cancel_when_left(receive: Receive, working: asyncio.Task[None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    working.cancel()


async def _send(answer: Answer, call: Call, send: Send) -> None:
    if answer.stream is None:
        answer.headers["Content-Length"] = str(len(answer.body))
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.stream is None:
            body = b"" if call.method == "HEAD" else answer.body
            await send({"type": "http.response.body", "body": body})
        else:
            await _send_stream(answer.stream, send)
    finally:
        if answer.drop:
            answer.drop()
        if not answer.logs_itself:
            _log(answer, call)


async def _send_stream(stream: AsyncGenerator[bytes], send: Send) -> None:
    async with aclosing(stream) as parts:
        async for data in parts:
            await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _call(scope: Scope, params: Mapping[str, str]) -> Call:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope.get("query_string", b"")
    return Call(
        method=scope["method"],
        path=scope["path"],
        headers=headers,
        body=b"",
        request_id=request_id_from(headers.get("x-request-id")),
        started=time.perf_counter(),
        query=dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {},
        params=params,
        address=client_address_in(scope),
    )


def _log(answer: Answer, call: Call) -> None:
    logger.info(
        "request",
        method=call.method,
        path=call.path,
        status=answer.status,
        duration_ms=round((time.perf_counter() - call.started) * 1000, 1),
    )
