"""Errors that services raise and every surface renders in its own shape."""

from __future__ import annotations

import math

from apps.core.standing import Standing

AUTHENTICATION_SCHEME = "ApiKey"


class AppError(Exception):
    """A refusal with words for the caller.

    `status` is the HTTP status, `code` a stable word for programs, `param` the field it is about, `headers`
    what the answer carries beside its body.
    """

    status = 500
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.param = param
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, dict[str, str | None]]:
        """The shape of the management API and of /generate."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "param": self.param,
                "request_id": request_id,
            }
        }


class InvalidRequest(AppError):
    status = 400
    code = "invalid_request"


class Unauthenticated(AppError):
    """Carries the challenge that HTTP asks of a 401, in a scheme of our own: no browser prompts for it."""

    status = 401
    code = "invalid_api_key"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"WWW-Authenticate": AUTHENTICATION_SCHEME})


class PaymentRequired(AppError):
    """What was set aside for it is used up: no client should come back by itself."""

    status = 402
    code = "budget_exhausted"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"x-should-retry": "false"})


class PermissionDenied(AppError):
    status = 403
    code = "permission_denied"


class NotFound(AppError):
    status = 404
    code = "not_found"


class MethodNotAllowed(AppError):
    status = 405
    code = "method_not_allowed"


class Conflict(AppError):
    status = 409
    code = "conflict"


class RequestTimeout(AppError):
    status = 408
    code = "request_timeout"


class PayloadTooLarge(AppError):
    status = 413
    code = "payload_too_large"


class UnsupportedMediaType(AppError):
    status = 415
    code = "unsupported_media_type"


class CannotSpeak(AppError):
    status = 422
    code = "cannot_speak"


class UpstreamFailed(AppError):
    status = 502
    code = "speech_failed"


class _Later(AppError):
    """A refusal that says when to come back: `retry_after_seconds` exactly, its header in whole ones.

    `None` where coming back would not help.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float | None = 1.0,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        # Whole seconds, rounded up: a client that comes back when it was told must not be refused again.
        later = (
            {}
            if retry_after_seconds is None
            else {"Retry-After": str(max(1, math.ceil(retry_after_seconds)))}
        )
        super().__init__(message, code=code, headers=later | (headers or {}))
        self.retry_after_seconds = retry_after_seconds


class RateLimited(_Later):
    """Too fast, or too many at once. `standing` is `None` where it is not known."""

    status = 429
    code = "rate_limit_exceeded"

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float = 1.0,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        standing: Standing | None = None,
    ) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds, code=code, headers=headers)
        self.standing = standing


class QuotaExceeded(AppError):
    """What is allowed in a month is used up: no client should come back by itself, so none is told when."""

    status = 429
    code = "quota_exceeded"

    def __init__(self, message: str, *, standing: Standing | None = None) -> None:
        super().__init__(message, headers={"x-should-retry": "false"})
        self.standing = standing


class Unavailable(_Later):
    status = 503
    code = "unavailable"
