"""How OpenAI's API speaks: its key, its errors with their types and codes, its headers."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

from apps.core.errors import AppError, RateLimited, Unavailable
from apps.core.standing import Standing
from apps.keys.identity import HEADER
from apps.tts.calls import Answer, Call
from apps.tts.surfaces import Surface
from apps.usage.models import UsageRecord

_BEARER: Final = "bearer "
_INVALID: Final = "invalid_request_error"
_SERVER: Final = "server_error"
_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "requests",
}
# OpenAI's words for what we call otherwise.
_CODES: Final[Mapping[str, str | None]] = {
    "invalid_request": None,
    "missing_api_key": "invalid_api_key",
    "text_too_long": "string_above_max_length",
    "method_not_allowed": "method_not_supported",
    "too_many_concurrent_requests": "rate_limit_exceeded",
    "quota_exceeded": "insufficient_quota",
}
_PARAMS: Final[Mapping[str | None, str]] = {"text": "input", "format": "response_format"}
_SHOULD_RETRY: Final = "x-should-retry"


class OpenAI(Surface):
    name = UsageRecord.Surface.OPENAI.value

    def key_of(self, call: Call) -> str | None:
        """Our own header first: an edge in between may want `Authorization` for itself."""
        if own := call.headers.get(HEADER.lower()):
            return own
        authorization = call.headers.get("authorization", "")
        if authorization[: len(_BEARER)].lower() == _BEARER:
            return authorization[len(_BEARER) :].strip()
        return None

    def refusal(self, error: AppError, request_id: str) -> Answer:
        return Answer.of_json(error_body(error), status=error.status, headers=_headers(error))

    def finish(self, answer: Answer, call: Call) -> None:
        """`openai-processing-ms` is the time until the answer begins."""
        answer.headers["openai-processing-ms"] = str(round((time.perf_counter() - call.started) * 1000))


OPENAI = OpenAI()


def error_body(error: AppError) -> dict[str, Any]:
    code = _CODES.get(error.code, error.code)
    if code == "insufficient_quota":
        kind = code
    else:
        kind = _SERVER if error.status >= 500 else _TYPES.get(error.status, _INVALID)
    param = _PARAMS.get(error.param, error.param)
    return {"error": {"message": error.message, "type": kind, "param": param, "code": code}}


def standing_headers(standing: Standing) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(standing.requests_limit),
        "x-ratelimit-remaining-requests": str(standing.requests_remaining),
        "x-ratelimit-reset-requests": duration(standing.reset_seconds),
    }


def duration(seconds: float) -> str:
    """As OpenAI writes it: `120ms`, `1.5s`, `6m0s`."""
    milliseconds = max(0, math.ceil(seconds * 1000))
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, left = divmod(milliseconds, 60_000)
    return f"{minutes}m{left / 1000:g}s" if minutes else f"{left / 1000:g}s"


def _headers(error: AppError) -> dict[str, str]:
    """With hints for SDKs: they obey `x-should-retry`, and else retry each 408, 409, 429 and 5xx."""
    headers = {name.lower(): value for name, value in error.headers.items()}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, RateLimited | Unavailable) and error.retry_after_seconds is not None:
        headers["retry-after-ms"] = str(math.ceil(error.retry_after_seconds * 1000))
    if error.status == 409:
        headers.setdefault(_SHOULD_RETRY, "false")
    elif error.status >= 500:
        headers.setdefault(_SHOULD_RETRY, "true")
    standing = getattr(error, "standing", None)
    return headers if standing is None else headers | standing_headers(standing)
