"""`GET /voices`: the named voices. `DELETE /voices/{sha256}`: a cloned one is forgotten."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gpu_worker.auth import require_token
from gpu_worker.config import Settings
from gpu_worker.errors import WorkerError
from gpu_worker.protocol import REQUEST_ID_HEADER, ErrorCode
from gpu_worker.refusals import request_id_of
from gpu_worker.service import SpeechService


def voice_routes(service: SpeechService, settings: Settings) -> list[Route]:
    """Both routes; their refusals are WorkerErrors, as the application answers them."""

    async def list_voices(request: Request) -> Response:
        require_token(settings, request.headers)
        voices = service.offers().voices
        body = {"voices": list(voices), "default": voices[0]}
        return JSONResponse(body, headers=_headers(request))

    async def delete_voice(request: Request) -> Response:
        require_token(settings, request.headers)
        if not await service.delete_voice(request.path_params["sha256"]):
            raise WorkerError(ErrorCode.NOT_FOUND, "No recording with this SHA-256 is kept here.")
        return Response(status_code=204, headers=_headers(request))

    return [
        Route("/voices", list_voices, methods=["GET"]),
        Route("/voices/{sha256}", delete_voice, methods=["DELETE"]),
    ]


def _headers(request: Request) -> dict[str, str]:
    return {REQUEST_ID_HEADER.lower(): request_id_of(request.headers), "cache-control": "no-store"}
