"""Refusals in the OpenAPI document: one response a status, one example a code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gpu_worker.errors import WorkerError
from gpu_worker.protocol import REQUEST_ID_HEADER, ErrorCode

# What a refusal with this code says, and the field that it names.
EXAMPLES: Final[dict[ErrorCode, tuple[str, str | None]]] = {
    ErrorCode.INVALID: ("speed must be a number from 0.25 to 4.", "speed"),
    ErrorCode.INVALID_TOKEN: ("Send this worker's token.", None),
    ErrorCode.CONSENT_REQUIRED: ("A cloned voice takes a consent token.", "consent"),
    ErrorCode.CONSENT_INVALID: ("The consent token is older than 60 s; send a new one.", "consent"),
    ErrorCode.NOT_FOUND: ("No request with this id waits or runs here.", None),
    ErrorCode.METHOD_NOT_ALLOWED: ("This path does not take GET.", None),
    ErrorCode.REQUEST_TIMEOUT: ("The body did not come within 10 seconds.", None),
    ErrorCode.VOICE_NOT_FOUND: ("There is no such voice here; there is heart.", "voice"),
    ErrorCode.MODEL_NOT_FOUND: ("There is no such model here; there is hibari.", "model"),
    ErrorCode.VOICE_MISSING: ("This worker lacks the recording of this voice.", "voice"),
    ErrorCode.REFERENCE_UNAVAILABLE: ("The recording could not be fetched.", "reference_url"),
    ErrorCode.TOO_LARGE: ("The body is larger than 256000 bytes.", None),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: ("Send application/json, not text/plain.", None),
    ErrorCode.CANNOT_SPEAK: ("This engine has no sounds for any of this text.", "text"),
    ErrorCode.QUEUE_FULL: ("This worker holds 128 requests and takes no more right now.", None),
    ErrorCode.LOADING: ("The engine is still loading.", None),
    ErrorCode.DRAINING: ("This worker is shutting down and takes no new request.", None),
    ErrorCode.DEADLINE_EXCEEDED: ("The deadline of 500 ms has passed.", None),
    ErrorCode.SEND_STALLED: ("The caller stopped reading.", None),
    ErrorCode.CANCELLED: ("The request was cancelled.", None),
    ErrorCode.ENGINE_FAILED: ("The engine failed on this text; it may pass again.", None),
    ErrorCode.INTERNAL: ("The worker failed at this request.", None),
}

_RETRY_AFTER: Final = (
    "Seconds to wait at least. Whether the same request may pass then, `retryable` tells: one whose deadline "
    "has passed wants a later deadline."
)


def error_schema() -> dict[str, Any]:
    """The one shape of all refusals."""
    properties = {
        "code": {"type": "string", "enum": [code.value for code in ErrorCode]},
        "message": {"type": "string", "description": "A sentence that tells what to do."},
        "param": {"type": ["string", "null"], "description": "The field at fault."},
        "retryable": {"type": "boolean", "description": "Whether the same request may pass later."},
        "request_id": {"type": "string"},
    }
    inner = {"type": "object", "required": list(properties), "properties": properties}
    return {"type": "object", "required": ["error"], "properties": {"error": inner}}


def refusals(codes: Iterable[ErrorCode]) -> dict[str, Any]:
    """A response for each status among `codes`, in the order of statuses."""
    by_status: dict[int, list[ErrorCode]] = {}
    for code in codes:
        by_status.setdefault(code.status, []).append(code)
    return {str(status): _response(status, by_status[status]) for status in sorted(by_status)}


def _response(status: int, codes: list[ErrorCode]) -> dict[str, Any]:
    headers: dict[str, Any] = {REQUEST_ID_HEADER: {"schema": {"type": "string"}}}
    if status in (429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": _RETRY_AFTER}
    if status == 429:
        headers["X-Queue-Position"] = {"schema": {"type": "integer"}}
    return {
        "description": ", ".join(f"`{code}`" for code in codes),
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {code.value: {"value": _example(code)} for code in codes},
            }
        },
    }


def _example(code: ErrorCode) -> dict[str, Any]:
    message, param = EXAMPLES[code]
    return WorkerError(code, message, param=param).to_json("req_4f1c")
