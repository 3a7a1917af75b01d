"""The events of this room."""

from __future__ import annotations

from typing import Any

from apps.webhooks.catalogue import (
    EventType,
    identifier,
    iso,
    one_of,
    optional_moment,
    record,
    text,
)
from apps.webhooks.catalogue import (
    register as add,
)
from apps.webhooks.models import Endpoint

ENDPOINT_DISABLED = EventType(
    name="endpoint.disabled",
    meaning="A webhook endpoint was disabled by the platform: it failed for five days, or answered 410 Gone. "
    "Your other endpoints hear of it.",
    data=record(
        endpoint_id=identifier("The endpoint."),
        url=text("Where it is."),
        description=text("What it was called; may be empty."),
        reason=one_of("Why.", ["failing", "gone"]),
        failing_since=optional_moment("Since when nothing was received."),
    ),
    example={
        "endpoint_id": "0197b3a2-6f1e-7c44-9d2b-51a7c0e8f3d6",
        "url": "https://example.com/hooks/voice",
        "description": "Production",
        "reason": "failing",
        "failing_since": "2026-11-24T08:15:00.000Z",
    },
)


def register() -> None:
    add(ENDPOINT_DISABLED)


def of_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """The data of `endpoint.disabled`."""
    return {
        "endpoint_id": str(endpoint.pk),
        "url": endpoint.url,
        "description": endpoint.description,
        "reason": endpoint.disabled_because,
        "failing_since": iso(endpoint.failing_since) if endpoint.failing_since else None,
    }
