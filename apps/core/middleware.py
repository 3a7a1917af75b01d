"""The outermost middlewares: a request id and a log line for each request, and the way past the rest.

Both are asynchronous only. Under ASGI what lies below them, sessions and pages, then runs as one synchronous
chain in one thread; a middleware that could be either would follow the chain into that thread.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.decorators import async_only_middleware

from apps.core.ids import new_request_id

logger = structlog.get_logger("voiceflow.request")

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9_.:-]{8,128}")
_SIGNED_PATH = "/media/"  # what follows lets anyone in who reads the log
_QUIET_PATHS = ("/health", "/ready", "/metrics", "/static/")

Handler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def request_id_from(header: str | None) -> str:
    """The caller's X-Request-Id where it is fit to be logged and echoed, else a new one."""
    return header if header and _ACCEPTABLE_ID.fullmatch(header) else new_request_id()


@async_only_middleware
def request_context(get_response: Handler) -> Handler:
    async def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request_id = request_id_from(request.headers.get("X-Request-Id"))
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = await get_response(request)
        response["X-Request-Id"] = request_id
        # A speech request writes its own line when its stream has ended.
        if not getattr(response, "logs_itself", False) and not request.path.startswith(_QUIET_PATHS):
            logger.info(
                "request",
                method=request.method,
                path=_SIGNED_PATH if request.path.startswith(_SIGNED_PATH) else request.path,
                status=response.status_code,
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return response

    return middleware


@async_only_middleware
def express_lane(get_response: Handler) -> Handler:
    """Serves views marked `stateless` without the middlewares below, which are about sessions and pages.

    Those hop to a thread and back, which costs more than the rest of a speech request together, and hides
    from the view that its client has left.
    """

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        match = request.resolver_match or stateless_match(request.path_info)
        if match is None:
            return await get_response(request)
        request.resolver_match = match
        response = match.func(request, *match.args, **match.kwargs)
        return _finished(await response if isawaitable(response) else response)

    return middleware


def stateless_match(path: str) -> ResolverMatch | None:
    """Where the path leads, if that is a view marked `stateless`."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if not getattr(getattr(match.func, "cls", match.func), "stateless", False):
        return None
    return match


def _finished(response: HttpResponseBase) -> HttpResponseBase:
    """The headers that middlewares below would have set."""
    response["X-Content-Type-Options"] = "nosniff"
    if isinstance(response, HttpResponse):
        response["Content-Length"] = str(len(response.content))
    return response
