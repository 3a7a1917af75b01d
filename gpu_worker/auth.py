"""Who may ask: whoever sends the worker's token."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers

from gpu_worker.config import Settings
from gpu_worker.errors import WorkerError
from gpu_worker.protocol import API_KEY_HEADER, TOKEN_HEADER, ErrorCode


def require_token(settings: Settings, headers: Headers) -> None:
    """Raises WorkerError unless one of the three places for a token holds the worker's, where it has one.

    An edge in between may use `Authorization` for itself; what else stands there does no harm.
    """
    if settings.token is None:
        return
    expected = settings.token.encode()
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    given = [headers.get(TOKEN_HEADER, ""), headers.get(API_KEY_HEADER, "")]
    if scheme.lower() == "bearer":
        given.append(bearer.strip())
    if not any(hmac.compare_digest(one.encode(), expected) for one in given):
        message = f"Send this worker's token as {TOKEN_HEADER}, {API_KEY_HEADER} or Authorization: Bearer."
        raise WorkerError(ErrorCode.INVALID_TOKEN, message)
