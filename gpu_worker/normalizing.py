"""`POST /normalize`: what would be spoken instead of a text, and where each part of it was written."""

from __future__ import annotations

import json
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gpu_worker.auth import require_token
from gpu_worker.bodies import read_json
from gpu_worker.config import Settings
from gpu_worker.errors import WorkerError
from gpu_worker.pacing import turn
from gpu_worker.protocol import (
    REQUEST_ID_HEADER,
    TENANT_HEADER,
    ErrorCode,
    InvalidRequestError,
    SpeechRequest,
)
from gpu_worker.refusals import request_id_of
from gpu_worker.service import SpeechService
from gpu_worker.text import UnknownTagError, has_rules, speakable, spoken_map

FIELDS: Final = ("text", "normalize", "language", "unknown_tags")
# About 5 ms of work; what is longer is done beside the event loop.
_MAX_INLINE_CHARACTERS: Final = 1000


def normalize_route(service: SpeechService, settings: Settings) -> Route:
    """The route; its refusals are WorkerErrors, as the application answers them."""

    async def normalize(request: Request) -> Response:
        require_token(settings, request.headers)
        offers = service.offers()
        try:
            asked = _parse(await read_json(request.headers, request.receive))
        except InvalidRequestError as error:
            raise WorkerError(ErrorCode.INVALID, error.message, param=error.param) from error
        language = asked.language or offers.languages[0]
        if asked.normalize == "on" and not has_rules(language):
            message = "normalize: only English is written out; leave it on auto, or off."
            raise WorkerError(ErrorCode.INVALID, message, param="normalize")
        performs_tags = "tags" in offers.features
        if len(asked.text) > _MAX_INLINE_CHARACTERS:
            body = await service.preparation.run(
                request.headers.get(TENANT_HEADER, ""), partial(_answer, asked, language, performs_tags)
            )
        else:
            await turn()
            body = _answer(asked, language, performs_tags)
        headers = {REQUEST_ID_HEADER.lower(): request_id_of(request.headers), "cache-control": "no-store"}
        return Response(body, media_type="application/json", headers=headers)

    return Route("/normalize", normalize, methods=["POST"])


def _parse(body: object) -> SpeechRequest:
    """The fields that it shares with a speech request, held to the same rules."""
    request = SpeechRequest.parse(body)
    assert isinstance(body, dict)  # noqa: S101 - parsed
    for name in sorted(body.keys() - set(FIELDS)):
        raise InvalidRequestError(f"{name} has no meaning here; this takes {', '.join(FIELDS)}.", name)
    return request


def _answer(asked: SpeechRequest, language: str, performs_tags: bool) -> bytes:
    try:
        spoken = speakable(
            asked.text,
            normalize=asked.normalize,
            language=language,
            unknown_tags=asked.unknown_tags,
            performs_tags=performs_tags,
        )
    except UnknownTagError as error:
        raise WorkerError(ErrorCode.INVALID, str(error), param="text") from error
    return json.dumps({"spoken": spoken.text, "map": spoken_map(spoken)}, ensure_ascii=False).encode()
