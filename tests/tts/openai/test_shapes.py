"""Each error of ours in OpenAI's words, with the hints that its SDKs obey."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.core import errors
from apps.core.standing import Standing
from apps.tts.openai.surface import OPENAI, duration

BAD = "invalid_request_error"
STANDING = Standing(
    requests_limit=60, requests_remaining=0, reset_seconds=61.5, concurrent_now=1, concurrent_limit=5
)

# An error, then OpenAI's status, type, code and whether SDKs should ask again; None leaves it to their habit.
CASES: list[tuple[errors.AppError, int, str, str | None, str | None]] = [
    (errors.InvalidRequest("No."), 400, BAD, None, None),
    (errors.InvalidRequest("No.", code="invalid_json"), 400, BAD, "invalid_json", None),
    (errors.InvalidRequest("No.", code="text_too_long"), 400, BAD, "string_above_max_length", None),
    (errors.Unauthenticated("No."), 401, "authentication_error", "invalid_api_key", None),
    (
        errors.Unauthenticated("No.", code="missing_api_key"),
        401,
        "authentication_error",
        "invalid_api_key",
        None,
    ),
    (errors.PaymentRequired("No."), 402, "insufficient_quota", "budget_exhausted", "false"),
    (errors.PermissionDenied("No."), 403, "permission_error", "permission_denied", None),
    (errors.NotFound("No.", code="model_not_found"), 404, BAD, "model_not_found", None),
    (errors.MethodNotAllowed("No."), 405, BAD, "method_not_supported", None),
    (errors.RequestTimeout("No."), 408, BAD, "request_timeout", None),
    (errors.Conflict("No."), 409, BAD, "conflict", "false"),
    (errors.PayloadTooLarge("No."), 413, BAD, "payload_too_large", None),
    (errors.UnsupportedMediaType("No."), 415, BAD, "unsupported_media_type", None),
    (errors.CannotSpeak("No."), 422, BAD, "cannot_speak", None),
    (errors.RateLimited("No."), 429, "requests", "rate_limit_exceeded", None),
    (
        errors.RateLimited("No.", code="too_many_concurrent_requests"),
        429,
        "requests",
        "rate_limit_exceeded",
        None,
    ),
    (errors.QuotaExceeded("No."), 429, "insufficient_quota", "insufficient_quota", "false"),
    (errors.AppError("No."), 500, "server_error", "internal_error", "true"),
    (errors.UpstreamFailed("No."), 502, "server_error", "speech_failed", "true"),
    (errors.Unavailable("No."), 503, "server_error", "unavailable", "true"),
]


def refused(error: errors.AppError) -> tuple[int, dict[str, Any], dict[str, str]]:
    answer = OPENAI.refusal(error, "req_1")
    names = [name.lower() for name in answer.headers]
    assert len(names) == len(set(names))
    return answer.status, json.loads(answer.body), {name.lower(): v for name, v in answer.headers.items()}


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "again"), CASES, ids=lambda case: getattr(case, "code", None)
)
def test_each_error(
    error: errors.AppError, status: int, kind: str, code: str | None, again: str | None
) -> None:
    found, body, headers = refused(error)
    assert found == status
    assert body == {"error": {"message": "No.", "type": kind, "param": None, "code": code}}
    assert headers.get("x-should-retry") == again


def test_every_error_of_ours_is_among_them() -> None:
    def below(kind: type[errors.AppError]) -> set[type[errors.AppError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    ours = {kind for kind in below(errors.AppError) if kind.__module__ == errors.__name__}
    assert {kind for kind in ours if not kind.__name__.startswith("_")} == {type(case[0]) for case in CASES}


def test_fields_go_by_openais_names() -> None:
    for ours, openais in {"text": "input", "format": "response_format", "voice": "voice"}.items():
        assert refused(errors.InvalidRequest("No.", param=ours))[1]["error"]["param"] == openais


def test_when_to_come_back_is_told_to_the_millisecond_too() -> None:
    for error in (errors.RateLimited, errors.Unavailable):
        headers = refused(error("No.", retry_after_seconds=1.2345))[2]
        assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1235")


def test_a_hint_that_an_error_brings_is_kept() -> None:
    error = errors.Unavailable("No.", retry_after_seconds=None, headers={"X-Should-Retry": "false"})
    headers = refused(error)[2]
    assert headers["x-should-retry"] == "false"
    assert not {"retry-after", "retry-after-ms"} & set(headers)


def test_where_the_caller_stands() -> None:
    headers = refused(errors.RateLimited("No.", standing=STANDING))[2]
    told = [headers[f"x-ratelimit-{name}-requests"] for name in ("limit", "remaining", "reset")]
    assert told == ["60", "0", "1m1.5s"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (-1, "0ms"), (0.0121, "13ms"), (1, "1s"), (1.5, "1.5s"), (60, "1m0s"), (360.25, "6m0.25s")],
)
def test_durations_are_written_as_openai_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
