"""The events of keys; none holds a secret."""

from __future__ import annotations

from typing import Any

from apps.keys.models import ApiKey
from apps.webhooks import catalogue, outbox
from apps.webhooks.catalogue import EventType, identifier, iso, one_of, optional_moment, record, text

_FIELDS = {
    "key_id": identifier("The key."),
    "name": text("What it is called."),
    "mode": one_of("What it is for.", ApiKey.Mode.values),
    "prefix": text("Its beginning, by which it is known."),
    "scopes": {"type": "array", "items": {"enum": ApiKey.Scope.values}, "description": "What it may do."},
    "expires_at": optional_moment("When it ends; null where it does not."),
}
_EXAMPLE = {
    "key_id": "0197b3a2-11c4-7d0e-8a55-0f6e2b9c4d17",
    "name": "Website",
    "mode": "live",
    "prefix": "vf_live_7Kd2",
    "scopes": ["speech"],
    "expires_at": None,
}

CREATED = EventType(
    name="key.created", meaning="An API key was issued.", data=record(**_FIELDS), example=_EXAMPLE
)
ROTATED = EventType(
    name="key.rotated",
    meaning="A new key took the place of one, which works on until it expires.",
    data=record(
        **_FIELDS,
        replaced_key_id=identifier("The key that it replaces."),
        replaced_expires_at=catalogue.moment("When that one ends."),
    ),
    example={
        **_EXAMPLE,
        "replaced_key_id": "0197a1f0-5b2e-7c11-9a40-3d7f8e6b2c05",
        "replaced_expires_at": "2026-11-30T09:00:00.000Z",
    },
)
REVOKED = EventType(
    name="key.revoked",
    meaning="An API key was ended for good; it is refused everywhere.",
    data=record(**_FIELDS),
    example=_EXAMPLE,
)


def register() -> None:
    catalogue.register(CREATED, ROTATED, REVOKED)


def created(key: ApiKey) -> None:
    outbox.emit(CREATED.name, organization_id=key.organization_id, data=_of(key))


def rotated(key: ApiKey, *, replaced: ApiKey) -> None:
    assert replaced.expires_at is not None  # noqa: S101 - a key that was rotated ends
    told = {
        **_of(key),
        "replaced_key_id": str(replaced.pk),
        "replaced_expires_at": iso(replaced.expires_at),
    }
    outbox.emit(ROTATED.name, organization_id=key.organization_id, data=told)


def revoked(key: ApiKey) -> None:
    outbox.emit(REVOKED.name, organization_id=key.organization_id, data=_of(key))


def _of(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": str(key.pk),
        "name": key.name,
        "mode": key.mode,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "expires_at": iso(key.expires_at) if key.expires_at else None,
    }
