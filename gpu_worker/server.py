"""The worker's HTTP: small routes on FastAPI, and `/generate` beside them as bare ASGI."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.routing import Route

from gpu_worker import __version__
from gpu_worker.config import Settings
from gpu_worker.errors import WorkerError
from gpu_worker.generate import GenerateEndpoint, request_id_of, require_token
from gpu_worker.metrics import Metrics
from gpu_worker.protocol import REQUEST_ID_HEADER, ErrorCode
from gpu_worker.service import SpeechService


def build_app(service: SpeechService, settings: Settings) -> FastAPI:
    """The application over one service."""
    metrics = Metrics()
    app = FastAPI(title="VoiceFlow speech worker", version=__version__, docs_url=None, redoc_url=None)
    app.router.routes.append(
        Route("/generate", GenerateEndpoint(service, settings, metrics), methods=["POST"])
    )
    app.add_exception_handler(WorkerError, _refused)
    app.add_exception_handler(HTTPException, _no_such_route)

    @app.get("/health")
    async def health() -> Response:
        """200 while the process lives."""
        return JSONResponse({"status": "ok"})

    @app.get("/ready")
    async def ready() -> Response:
        """200 when it can speak, 503 while loading or draining."""
        return JSONResponse(service.readiness(), status_code=200 if service.status == "ready" else 503)

    @app.get("/metrics")
    async def metrics_text() -> Response:
        """Prometheus's text format."""
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

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
    request_id = request_id_of(request.headers)
    headers = {REQUEST_ID_HEADER: request_id}
    return JSONResponse(error.to_json(request_id), status_code=error.code.status, headers=headers)


async def _no_such_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    if error.status_code == 405:
        reason = WorkerError(ErrorCode.METHOD_NOT_ALLOWED, f"This path does not take {request.method}.")
    else:
        reason = WorkerError(ErrorCode.NOT_FOUND, "There is nothing at this path.")
    response = await _refused(request, reason)
    response.headers.update(error.headers or {})
    return response
