"""Django's ASGI handler, with a shorter way for views that need no thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from typing import Any

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.urls import ResolverMatch

from apps.core.middleware import stateless_match

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Handler(ASGIHandler):
    """Serves views marked `stateless` on the event loop alone, from a request's first byte to its last.

    Django starts a thread for every request, to tell receivers that look after database connections of its
    beginning and end: a third of what a speech request costs. A stateless view holds no such connection.
    """

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        match = stateless_match(scope["path"]) if scope["type"] == "http" else None
        if match is None:
            await super().__call__(scope, receive, send)
        else:
            await self._serve(match, scope, receive, send)

    async def _serve(self, match: ResolverMatch, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with closing(body):
            request, refusal = self.create_request(scope, body)
            if request is None:
                assert refusal is not None  # noqa: S101 - it is one or the other
                await self.send_response(refusal, send)
                return
            request.resolver_match = match
            await self._answer_while_there(request, receive, send)

    async def _answer_while_there(self, request: ASGIRequest, receive: Receive, send: Send) -> None:
        """Cancels the view where its client leaves."""
        answering = asyncio.create_task(self._answer(request, send))
        leaving = asyncio.create_task(_cancel_when_left(receive, answering))
        try:
            await answering
        except asyncio.CancelledError:
            if not leaving.done():
                raise
        finally:
            leaving.cancel()

    async def _answer(self, request: ASGIRequest, send: Send) -> None:
        response = await self.run_get_response(request)
        try:
            await self.send_response(response, send)
        finally:
            response.close()


async def _cancel_when_left(receive: Receive, answering: asyncio.Task[None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    answering.cancel()
