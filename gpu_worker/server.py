"""The worker's HTTP: small routes on FastAPI, and `/generate` beside them as bare ASGI."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.routing import Route

from gpu_worker import __version__
from gpu_worker.auth import require_token
from gpu_worker.config import Settings
from gpu_worker.docs import docs_routes
from gpu_worker.errors import WorkerError
from gpu_worker.generate import GenerateEndpoint
from gpu_worker.metrics import Metrics
from gpu_worker.normalizing import normalize_route
from gpu_worker.protocol import TENANT_HEADER, ErrorCode
from gpu_worker.refusals import refusal, request_id_of
from gpu_worker.service import SpeechService
from gpu_worker.voice_routes import voice_routes

# Probes of load balancers ask for the head alone.
_READ: Final = ["GET", "HEAD"]


def build_app(service: SpeechService, settings: Settings, metrics: Metrics) -> FastAPI:
    """The application over one service."""
    app = FastAPI(
        title="VoiceFlow speech worker",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.router.routes.append(
        Route("/generate", GenerateEndpoint(service, settings, metrics), methods=["POST"])
    )
    app.router.routes.append(normalize_route(service, settings))
    app.router.routes.extend(docs_routes())
    app.router.routes.extend(voice_routes(service, settings))
    app.add_exception_handler(WorkerError, _refused)
    app.add_exception_handler(HTTPException, _no_such_route)
    app.add_exception_handler(Exception, _failed)
    metrics.watch_queue(lambda: service.readiness()["queue"]["waiting"])
    metrics.watch_engine(service.engine_figures)

    @app.api_route("/", methods=_READ)
    async def index() -> Response:
        """People who open the worker's address find its page."""
        return RedirectResponse("/docs", status_code=307)

    @app.api_route("/health", methods=_READ)
    async def health(request: Request) -> Response:
        """200 while the process lives."""
        if not settings.health_open:
            require_token(settings, request.headers)
        return JSONResponse({"status": "ok"})

    @app.api_route("/ready", methods=_READ)
    async def ready(request: Request) -> Response:
        """200 when it can speak, 503 while loading or draining."""
        if not settings.health_open:
            require_token(settings, request.headers)
        return JSONResponse(
            service.readiness(request.headers.get(TENANT_HEADER, "")),
            status_code=200 if service.status == "ready" else 503,
        )

    @app.api_route("/metrics", methods=_READ)
    async def metrics_text(request: Request) -> Response:
        """Prometheus's text format."""
        if not settings.metrics_open:
            require_token(settings, request.headers)
        return Response(await asyncio.to_thread(metrics.render), media_type=CONTENT_TYPE_LATEST)

    @app.post("/cancel/{request_id}")
    async def cancel(request_id: str, request: Request) -> Response:
        """Stops a request that waits or runs."""
        require_token(settings, request.headers)
        count = service.cancel(request_id)
        if not count:
            raise WorkerError(ErrorCode.NOT_FOUND, "No request with this id waits or runs here.")
        return JSONResponse({"cancelled": count})

    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, WorkerError)  # noqa: S101 - registered for this type alone
    status, headers, body = refusal(error, request_id_of(request.headers))
    return Response(body, status_code=status, headers=headers)


async def _no_such_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    if error.status_code == 405:
        reason = WorkerError(ErrorCode.METHOD_NOT_ALLOWED, f"This path does not take {request.method}.")
    else:
        reason = WorkerError(ErrorCode.NOT_FOUND, "There is nothing at this path.")
    response = await _refused(request, reason)
    response.headers.update(error.headers or {})
    return response


async def _failed(request: Request, _: Exception) -> Response:
    """A fault of ours, whose place the log tells."""
    return await _refused(request, WorkerError(ErrorCode.INTERNAL, "The worker failed at this request."))
