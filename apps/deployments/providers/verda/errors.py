"""What goes wrong with Verda, in kinds that callers can act on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, ClassVar

_LONGEST_WORDS = 500
# Shorter values would black out ordinary words of a message.
_SHORTEST_SECRET = 6
_CODE = re.compile(r"[a-z][a-z0-9_]{1,63}")


class VerdaError(Exception):
    """Verda refused or did not answer; `message` holds its own words, never a credential or token.

    `status` is the HTTP status, `None` where there was no answer. `code` is a stable word for programs; with
    `invalid_request` and `server_error` Verda's own may stand in its place. `permanent` tells that asking
    again will not help, `retryable` the opposite. `retry_after_seconds` is how long Verda asks callers to
    wait. `outcome_unknown` tells that Verda may have done what was asked all the same: look by name before
    asking again.
    """

    default_code: ClassVar[str] = "verda_error"
    default_permanent: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        permanent: bool | None = None,
        retry_after_seconds: float | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code or self.default_code
        self.permanent = self.default_permanent if permanent is None else permanent
        self.retry_after_seconds = retry_after_seconds
        self.outcome_unknown = outcome_unknown

    @property
    def retryable(self) -> bool:
        return not self.permanent


class InvalidRequest(VerdaError):
    """What was asked for breaks a rule: Verda's answer, or ours before any call (`status` is `None`)."""

    default_code = "invalid_request"


class Unauthorized(VerdaError):
    """The client id and secret, or the inference key, are not accepted."""

    default_code = "unauthorized_request"


class InsufficientFunds(VerdaError):
    """The balance does not cover it; somebody must pay in."""

    default_code = "insufficient_funds"


class Forbidden(VerdaError):
    """The credentials are good, but may not do this."""

    default_code = "forbidden_action"


class NotFound(VerdaError):
    default_code = "not_found"


class Conflict(VerdaError):
    """Something of this name exists, or is in a state that forbids the call."""

    default_code = "conflict"


class RateLimited(VerdaError):
    default_code = "rate_limited"
    default_permanent = False


class ServerError(VerdaError):
    """Verda failed or is away (408 and 5xx)."""

    default_code = "server_error"
    default_permanent = False


class Unreachable(VerdaError):
    """No whole answer came: no connection, a timeout, a connection cut."""

    default_code = "unreachable"
    default_permanent = False


class NotUnderstood(VerdaError):
    """An answer that is not what Verda's API promises, such as a proxy's page; those go away again."""

    default_code = "not_understood"
    default_permanent = False


class NotHealthy(VerdaError):
    """A deployment is in a state that waiting does not mend; `code` is that state."""

    default_code = "unhealthy"


class TimedOut(VerdaError):
    """Waiting took too long; `last_status` is what was seen last."""

    default_code = "timed_out"
    default_permanent = False

    def __init__(self, message: str, *, last_status: str) -> None:
        super().__init__(message)
        self.last_status = last_status


# A plain 400 may still say what it is about.
_BY_CODE: dict[str, type[VerdaError]] = {
    kind.default_code: kind for kind in (Unauthorized, InsufficientFunds, Forbidden, NotFound)
}
_BY_STATUS: dict[int, type[VerdaError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.PAYMENT_REQUIRED: InsufficientFunds,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.REQUEST_TIMEOUT: ServerError,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
}


def refusal(
    call: str,
    status: int,
    answer: Any,
    *,
    is_page: bool,
    secrets: Iterable[str],
    retry_after_seconds: float | None,
    outcome_unknown: bool,
) -> VerdaError:
    """The error for an answer of 300 or more; `call` is its method and path, `answer` the decoded body."""
    body = answer if isinstance(answer, dict) else {}
    code = body.get("code")
    code = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    words = tidy(_words(body.get("message")), secrets)
    kind = _kind(status, code)
    if kind is NotFound and is_page:
        # A page of a proxy is no word of Verda's: whoever asked would take what it pays for as gone.
        kind = NotUnderstood
    return kind(
        f"Verda answered {status} to {call}{f': {words}' if words else ', without a reason.'}",
        status=status,
        code=code if kind in (InvalidRequest, ServerError) else "",
        retry_after_seconds=retry_after_seconds,
        outcome_unknown=outcome_unknown,
    )


def tidy(text: str, secrets: Iterable[str]) -> str:
    """`text` in one line of at most 500 characters, with each of `secrets` struck out."""
    for secret in sorted((s for s in secrets if len(s) >= _SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, "•••")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _LONGEST_WORDS else text[: _LONGEST_WORDS - 1] + "…"


def _kind(status: int, code: str) -> type[VerdaError]:
    if status < HTTPStatus.BAD_REQUEST:
        return NotUnderstood
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    if status == HTTPStatus.BAD_REQUEST:
        return _BY_CODE.get(code, InvalidRequest)
    return _BY_STATUS.get(status, InvalidRequest)


def _words(message: object) -> str:
    if isinstance(message, list):
        return "; ".join(str(part) for part in message)
    return message if isinstance(message, str) else ""
