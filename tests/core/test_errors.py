"""Errors: one shape, one status each, and a time to come back where there is one."""

from __future__ import annotations

import pytest

from apps.core import errors


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidRequest, 400, "invalid_request"),
        (errors.Unauthenticated, 401, "invalid_api_key"),
        (errors.PermissionDenied, 403, "permission_denied"),
        (errors.NotFound, 404, "not_found"),
        (errors.MethodNotAllowed, 405, "method_not_allowed"),
        (errors.RequestTimeout, 408, "request_timeout"),
        (errors.Conflict, 409, "conflict"),
        (errors.PayloadTooLarge, 413, "payload_too_large"),
        (errors.UnsupportedMediaType, 415, "unsupported_media_type"),
        (errors.CannotSpeak, 422, "cannot_speak"),
        (errors.RateLimited, 429, "rate_limit_exceeded"),
        (errors.UpstreamFailed, 502, "speech_failed"),
        (errors.Unavailable, 503, "unavailable"),
    ],
)
def test_status_and_code(error: type[errors.AppError], status: int, code: str) -> None:
    raised = error("Words.")
    assert (raised.status, raised.code, raised.message) == (status, code, "Words.")


def test_the_body_has_one_shape() -> None:
    error = errors.NotFound("There is no such key.", code="no_key", param="id")
    assert error.body("req_1") == {
        "error": {
            "code": "no_key",
            "message": "There is no such key.",
            "param": "id",
            "request_id": "req_1",
        }
    }


@pytest.mark.parametrize(("seconds", "told"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (59.5, "60")])
@pytest.mark.parametrize("error", [errors.RateLimited, errors.Unavailable])
def test_retry_after_is_whole_seconds_and_never_too_early(
    error: type[errors.RateLimited | errors.Unavailable], seconds: float, told: str
) -> None:
    assert error("Later.", retry_after_seconds=seconds).headers["Retry-After"] == told


def test_a_code_of_one_error_is_not_that_of_its_class() -> None:
    errors.RateLimited("Too many.", code="too_many_concurrent_requests")
    assert errors.RateLimited("Too fast.").code == "rate_limit_exceeded"
