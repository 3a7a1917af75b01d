"""Every refusal in the words of ElevenLabs: `{"detail": {"status", "message", …}}`, in one place.

What is wrong with the shape of a request is told as FastAPI does, which is what their clients know:
422 with `{"detail": [{"loc", "msg", "type"}]}`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any, Final

from rest_framework import serializers

from apps.core.errors import AppError
from apps.core.standing import Standing
from apps.tts.calls import Answer

# Our code → their HTTP status and their word. What is not here keeps our status, and our code for its word.
THEIRS: Final[dict[str, tuple[int, str]]] = {
    "missing_api_key": (401, "needs_authorization"),
    "invalid_api_key": (401, "invalid_api_key"),
    "missing_scope": (401, "missing_permissions"),
    "quota_exceeded": (401, "quota_exceeded"),
    "text_too_long": (400, "max_character_limit_exceeded"),
    "cannot_speak": (400, "invalid_text"),
    "model_not_found": (400, "model_not_found"),
    "voice_not_found": (404, "voice_not_found"),
    "rate_limit_exceeded": (429, "rate_limit_exceeded"),
    "too_many_concurrent_requests": (429, "too_many_concurrent_requests"),
    "system_busy": (429, "system_busy"),
}
# DRF's word for what is wrong with a field → pydantic's.
_TYPES: Final = {"required": "missing", "null": "missing", "invalid_choice": "literal_error"}


class Unprocessable(AppError):
    """A request of the wrong shape. `problems` are `{"loc", "msg", "type"}` each."""

    status = 422
    code = "validation_error"

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(problems[0]["msg"])
        self.problems = problems

    @classmethod
    def at(cls, *loc: str | int, message: str, type: str = "value_error") -> Unprocessable:
        return cls([{"loc": list(loc), "msg": message, "type": type}])

    @classmethod
    def of(cls, error: serializers.ValidationError, place: str) -> Unprocessable:
        """All that a serializer found; `place` is `body` or `query`."""
        return cls(list(_problems(error.detail, [place])))


def answer_of(error: AppError, request_id: str) -> Answer:
    if error.code in ("invalid_json", "unsupported_media_type"):
        error = Unprocessable.at("body", message=error.message, type="json_invalid")
    if isinstance(error, Unprocessable):
        return Answer.of_json({"detail": error.problems}, status=error.status)
    status, word = THEIRS.get(error.code, (error.status, error.code))
    detail = {"status": word, "message": error.message, "param": error.param, "request_id": request_id}
    return Answer.of_json({"detail": detail}, status=status, headers=_headers(error))


def standing_headers(standing: Standing) -> dict[str, str]:
    """`X-RateLimit-Reset` is in unix seconds, as their clients read it."""
    return {
        "X-RateLimit-Limit": str(standing.requests_limit),
        "X-RateLimit-Remaining": str(standing.requests_remaining),
        "X-RateLimit-Reset": _unix(standing.reset_seconds),
        "current-concurrent-requests": str(standing.concurrent_now),
        "maximum-concurrent-requests": str(standing.concurrent_limit),
    }


def _headers(error: AppError) -> dict[str, str]:
    """Where a refusal says when to come back, that is what resets: their clients wait for it."""
    standing: Standing | None = getattr(error, "standing", None)
    headers = error.headers | (standing_headers(standing) if standing else {})
    later = error.headers.get("Retry-After")
    return headers | {"X-RateLimit-Reset": _unix(float(later))} if later else headers


def _unix(seconds: float) -> str:
    """So many seconds from now."""
    return str(math.ceil(time.time() + seconds))


def _problems(detail: Any, loc: list[str | int]) -> Iterator[dict[str, Any]]:
    """DRF's nested detail, flattened."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _problems(inner, loc if name == "non_field_errors" else [*loc, name])
    elif isinstance(detail, list):
        for inner in detail:
            yield from _problems(inner, loc)
    else:
        kind = _TYPES.get(getattr(detail, "code", ""), "value_error")
        yield {"loc": loc, "msg": str(detail), "type": kind}
