"""What every operation of the OpenAPI schema can answer beside success, in the shape of its surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Operation = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
SPEECH_TAG = "speech"
TEXT_TAG = "text"
MEANINGS: dict[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "Something in the request is wrong; `param` names it.",
    HTTPStatus.UNAUTHORIZED: "The API key is missing, malformed, expired or revoked.",
    HTTPStatus.PAYMENT_REQUIRED: "The organization's budget for deployments is used up this month.",
    HTTPStatus.FORBIDDEN: "The key lacks the scope, or its organization is suspended.",
    HTTPStatus.NOT_FOUND: "There is nothing of that name or id here.",
    HTTPStatus.CONFLICT: "What is there already does not allow it.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address is too long: the server itself refuses it, in plain text.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The text holds nothing that can be spoken.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests. `Retry-After` says when to come back.",
    HTTPStatus.BAD_GATEWAY: "The speech worker failed before it gave audio.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A part of the platform is away. `Retry-After` says when to come back.",
}
# What the server says before it asks us.
_NOT_OURS = str(HTTPStatus.REQUEST_URI_TOO_LONG.value)
_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_HAS_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
_OF_SPEECH = (
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
)
# Of operations with a body; those of other tags change what is there.
_OF_TAG: dict[str, tuple[HTTPStatus, ...]] = {SPEECH_TAG: _OF_SPEECH, TEXT_TAG: ()}


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """How a surface refuses: the `component` of the schema that its errors are, and what that looks like.

    `of_query` is how it refuses a wrong query; `meanings` are its own words for statuses.
    """

    component: str
    schema: dict[str, Any]
    of_query: tuple[HTTPStatus, ...] = (HTTPStatus.BAD_REQUEST,)
    meanings: Mapping[HTTPStatus, str] = field(default_factory=dict)


ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "param", "request_id"],
            "properties": {
                "code": {"type": "string", "description": "For programs; it does not change."},
                "message": {"type": "string", "description": "For people."},
                "param": {"type": "string", "nullable": True, "description": "The field it is about."},
                "request_id": {"type": "string", "description": "As in X-Request-Id; name it to support."},
            },
        }
    },
    "example": {
        "error": {
            "code": "invalid_api_key",
            "message": "The API key is not valid. Check that it is whole, not revoked and not expired.",
            "param": None,
            "request_id": "req_01982f6b7c7a7d5e8c1f3b2a4d5e6f70",
        }
    },
}
_HOUSE = ErrorShape("Error", ERROR)
_SHAPES: dict[str, ErrorShape] = {}
HEADERS = {
    "RequestId": {"description": "Names this request in logs and to support.", "schema": {"type": "string"}},
    "RetryAfter": {"description": "Whole seconds.", "schema": {"type": "integer", "minimum": 1}},
    "Replayed": {
        "description": "This answer was made for an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": (
        "Names this request for a day: sent again under the same key it is not made again, and not charged; "
        "its answer is given once more. A request that was refused or did not come whole frees its key."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


def register_surface(tag: str, shape: ErrorShape, *, speaks: bool = True) -> None:
    """Operations of this tag refuse in that shape; those that take a body speak, unless `speaks` is false."""
    _SHAPES[tag] = shape
    _OF_TAG[tag] = _OF_SPEECH if speaks else shape.of_query


def add_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook. An answer that a view has described itself stays as it is.

    `x-refuses` of an operation are statuses that do not follow from what it takes.
    """
    components = result["components"]
    for shape in (_HOUSE, *_SHAPES.values()):
        components["schemas"][shape.component] = shape.schema
    components["headers"] = HEADERS
    for operation in _operations(result):
        shape = _SHAPES.get(operation["tags"][0], _HOUSE)
        for status in sorted(_statuses(operation, shape)):
            operation["responses"].setdefault(str(status.value), _answer(status, shape))
        if _speaks(operation):
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            success = operation["responses"]["200"].setdefault("headers", {})
            success["Idempotent-Replayed"] = {"$ref": "#/components/headers/Replayed"}
        ours = (answer for status, answer in operation["responses"].items() if status != _NOT_OURS)
        for response in ours:
            response.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/RequestId"}
    return result


def _operations(result: dict[str, Any]) -> Iterator[Operation]:
    for path in result["paths"].values():
        yield from (operation for method, operation in path.items() if method in METHODS)


def _speaks(operation: Operation) -> bool:
    return "requestBody" in operation and _OF_TAG.get(operation["tags"][0]) is _OF_SPEECH


def _statuses(operation: Operation, shape: ErrorShape) -> set[HTTPStatus]:
    """Those that follow from what the operation takes: a key, a body, parameters."""
    parameters = operation.get("parameters", [])
    found = {HTTPStatus.SERVICE_UNAVAILABLE, *map(HTTPStatus, operation.pop("x-refuses", ()))}
    if operation.get("security"):
        found |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if "requestBody" in operation:
        found |= {*_HAS_BODY, *_OF_TAG.get(operation["tags"][0], (HTTPStatus.CONFLICT,))}
    if any(parameter["in"] == "path" for parameter in parameters):
        found.add(HTTPStatus.NOT_FOUND)
    if any(parameter["in"] == "query" for parameter in parameters):
        found.update(shape.of_query)
    if any(parameter["in"] in {"path", "query"} for parameter in parameters):
        found.add(HTTPStatus.REQUEST_URI_TOO_LONG)
    return found


def _answer(status: HTTPStatus, shape: ErrorShape) -> dict[str, Any]:
    if str(status.value) == _NOT_OURS:
        return {"description": MEANINGS[status]}
    answer: dict[str, Any] = {
        "description": shape.meanings.get(status, MEANINGS[status]),
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.component}"}}},
    }
    if status in _LATER:
        answer["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return answer
