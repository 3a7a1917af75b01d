"""The events of an organization's own voices, and of the consent to them."""

from __future__ import annotations

from typing import Any

from apps.voices.models import Voice
from apps.webhooks import catalogue, outbox
from apps.webhooks.catalogue import EventType, identifier, record, text

_FIELDS = {"voice_id": identifier("The voice."), "name": text("What it is called.")}
_REASON = {"reason": text("Why; may be empty.")}
_EXAMPLE = {"voice_id": "0197b3a2-2e90-7b61-a8f3-6d14c5e7b092", "name": "Narrator"}

CREATED = EventType(
    name="voice.created", meaning="A voice was cloned.", data=record(**_FIELDS), example=_EXAMPLE
)
SUSPENDED = EventType(
    name="voice.suspended",
    meaning="The platform's staff suspended a voice: it is not spoken until that is lifted.",
    data=record(**_FIELDS, **_REASON),
    example={**_EXAMPLE, "reason": "We are looking into a complaint."},
)
UNSUSPENDED = EventType(
    name="voice.unsuspended",
    meaning="The suspension of a voice was lifted: it can be spoken again.",
    data=record(**_FIELDS),
    example=_EXAMPLE,
)
DELETED = EventType(
    name="voice.deleted",
    meaning="A voice was deleted, with its recording.",
    data=record(**_FIELDS),
    example=_EXAMPLE,
)
CONSENT_WITHDRAWN = EventType(
    name="consent.withdrawn",
    meaning="The consent to a voice was withdrawn: it is never spoken again, and its recording is removed.",
    data=record(**_FIELDS, **_REASON),
    example={**_EXAMPLE, "reason": "The speaker asked for it."},
)
_NAMES_REASON = {SUSPENDED.name, CONSENT_WITHDRAWN.name}


def register() -> None:
    catalogue.register(CREATED, SUSPENDED, UNSUSPENDED, DELETED, CONSENT_WITHDRAWN)


def tell(kind: EventType, voice: Voice, *, reason: str = "") -> None:
    """In the transaction of what it tells of; of the platform's own voices nobody is told."""
    if voice.organization_id is None:
        return
    told: dict[str, Any] = {"voice_id": str(voice.pk), "name": voice.name}
    if kind.name in _NAMES_REASON:
        told["reason"] = reason
    outbox.emit(kind.name, organization_id=voice.organization_id, data=told)
