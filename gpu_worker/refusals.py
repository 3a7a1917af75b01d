"""A WorkerError before the first byte, as an answer of HTTP."""

from __future__ import annotations

import json
import secrets
from typing import Final

from starlette.datastructures import Headers

from gpu_worker.asgi import Send
from gpu_worker.errors import WorkerError
from gpu_worker.protocol import REQUEST_ID_HEADER, REQUEST_ID_PATTERN, ErrorCode

_LEAST_RETRY_SECONDS: Final = 1


def request_id_of(headers: Headers) -> str:
    """The caller's own id where it is fit to be repeated, else a new one."""
    given = headers.get(REQUEST_ID_HEADER, "")
    return given if REQUEST_ID_PATTERN.fullmatch(given) else new_request_id()


def new_request_id() -> str:
    """An id that no other request has."""
    return f"req_{secrets.token_hex(16)}"


def refusal(error: WorkerError, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body."""
    body = json.dumps(error.to_json(request_id)).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        REQUEST_ID_HEADER.lower(): request_id,
    }
    if error.code.status in (429, 503):
        headers["retry-after"] = str(error.retry_after_seconds or _LEAST_RETRY_SECONDS)
    if error.queue_position is not None:
        headers["x-queue-position"] = str(error.queue_position)
    if error.code is ErrorCode.INVALID_TOKEN:
        headers["www-authenticate"] = "Bearer"
    if error.code is ErrorCode.REQUEST_TIMEOUT:
        headers["connection"] = "close"
    return error.code.status, headers, body


async def send_refusal(error: WorkerError, request_id: str, send: Send) -> None:
    """Answers with the refusal."""
    status, headers, body = refusal(error, request_id)
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
