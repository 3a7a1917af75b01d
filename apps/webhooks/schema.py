"""What is sent to endpoints, in the OpenAPI schema beside what is asked of the platform."""

from __future__ import annotations

from typing import Any

from apps.webhooks import catalogue
from apps.webhooks.catalogue import EventType

_HEADERS = {
    "webhook-id": "Names the event, with each attempt the same: skip one that you know.",
    "webhook-timestamp": "When the attempt was made, in seconds of Unix time.",
    "webhook-signature": "`v1,` and a signature in base64; several are separated by spaces.",
}


def add_webhooks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: `x-webhooks`, as OpenAPI 3.0 knows no `webhooks` and Redoc reads this one."""
    result["x-webhooks"] = {kind.name: {"post": _operation(kind)} for kind in catalogue.every_type()}
    return result


def _operation(kind: EventType) -> dict[str, Any]:
    body = {"schema": kind.schema, "example": kind.example_body}
    return {
        "operationId": f"event_{kind.name.replace('.', '_')}",
        "summary": kind.name,
        "description": kind.meaning,
        "tags": ["webhooks"],
        "parameters": [
            {
                "in": "header",
                "name": name,
                "required": True,
                "description": says,
                "schema": {"type": "string"},
            }
            for name, says in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {"2XX": {"description": "Received. Any other answer is a failure, a redirect too."}},
    }
