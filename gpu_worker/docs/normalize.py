"""`/normalize` in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from gpu_worker.docs.errors import refusals
from gpu_worker.docs.fields import request_schema, tenant_header
from gpu_worker.normalizing import FIELDS
from gpu_worker.protocol import ErrorCode

_ERRORS: Final = (
    ErrorCode.INVALID,
    ErrorCode.INVALID_TOKEN,
    ErrorCode.REQUEST_TIMEOUT,
    ErrorCode.TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.QUEUE_FULL,
    ErrorCode.LOADING,
    ErrorCode.DRAINING,
    ErrorCode.INTERNAL,
)


def normalize_operation() -> dict[str, Any]:
    """`POST /normalize`."""
    return {
        "tags": ["Speech"],
        "operationId": "normalize",
        "summary": "See what a text is spoken as",
        "description": "Numbers, dates, money, abbreviations and the like written out as `/generate` does.",
        "parameters": [tenant_header("Whose turn it is.")],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _request(), "example": {"text": "It costs $5."}}},
        },
        "responses": {
            "200": {
                "description": "What is spoken, and where each part of it was written.",
                "content": {"application/json": {"schema": _answer(), "example": _example()}},
            },
            **refusals(_ERRORS),
        },
    }


def _request() -> dict[str, Any]:
    schema = request_schema()
    return {**schema, "properties": {name: schema["properties"][name] for name in FIELDS}}


def _answer() -> dict[str, Any]:
    entry = {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}
    meaning = "[from, to] in `spoken` and [from, to] in your text, in code points, without gaps in `spoken`."
    return {
        "type": "object",
        "required": ["spoken", "map"],
        "properties": {
            "spoken": {"type": "string"},
            "map": {"type": "array", "items": entry, "description": meaning},
        },
    }


def _example() -> dict[str, Any]:
    return {"spoken": "It costs five dollars.", "map": [[0, 9, 0, 9], [9, 21, 9, 11], [21, 22, 11, 12]]}
