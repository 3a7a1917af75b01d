"""The events of an organization's own voices, and of the consent to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.voices.models import Voice
from apps.webhooks import catalogue, outbox
from apps.webhooks.catalogue import (
    EventType,
    identifier,
    one_of,
    optional_identifier,
    optional_text,
    record,
    text,
)

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
    meaning="A consent was withdrawn. To a voice: it is never spoken again, and its recording is removed. To "
    "recordings of a campaign: they are used no more, and left out of its next release.",
    data=record(
        subject=one_of("What was consented to.", ["voice", "recordings"]),
        voice_id=optional_identifier("The voice; null for recordings."),
        name=optional_text("What the voice is called; null for recordings."),
        campaign_id=optional_identifier("The campaign; null for a voice."),
        purpose=optional_text("What the recordings were for; null for a voice."),
        **_REASON,
    ),
    example={
        "subject": "voice",
        **_EXAMPLE,
        "campaign_id": None,
        "purpose": None,
        "reason": "The speaker asked for it.",
    },
)


def register() -> None:
    catalogue.register(CREATED, SUSPENDED, UNSUSPENDED, DELETED, CONSENT_WITHDRAWN)


def tell(kind: EventType, voice: Voice, *, reason: str = "") -> None:
    """In the transaction of what it tells of; of the platform's own voices nobody is told."""
    if voice.organization_id is None:
        return
    told: dict[str, Any] = {"voice_id": str(voice.pk), "name": voice.name}
    if kind is CONSENT_WITHDRAWN:
        told = {"subject": "voice", **told, "campaign_id": None, "purpose": None}
    if kind in (SUSPENDED, CONSENT_WITHDRAWN):
        told["reason"] = reason
    outbox.emit(kind.name, organization_id=voice.organization_id, data=told)


def recordings_withdrawn(*, organization_id: UUID, campaign_id: UUID, purpose: str) -> None:
    """Of whom, nobody is told."""
    told = {
        "subject": "recordings",
        "voice_id": None,
        "name": None,
        "campaign_id": str(campaign_id),
        "purpose": purpose,
        "reason": "",
    }
    outbox.emit(CONSENT_WITHDRAWN.name, organization_id=organization_id, data=told)
