"""Who agreed to what: the organization's terms, and the consent to one voice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.errors import PermissionDenied
from apps.voices import statements
from apps.voices.actors import Actor
from apps.voices.models import CloningTerms, Voice, VoiceConsent
from apps.voices.statements import Statement

TERMS_PATH = "/voices/terms"


@dataclass(frozen=True, slots=True)
class CollectedConsent:
    """What a speaker agreed to in a collection: its own text, by version and SHA-256 of its words.

    `speaker` is a pseudonym.
    """

    speaker: str
    text_version: str
    text_sha256: str
    given_at: datetime


def accepted_terms(organization: Organization) -> CloningTerms | None:
    """The organization's acceptance of the current terms."""
    found: CloningTerms | None = (
        CloningTerms.objects.for_organization(organization)
        .filter(text_version=statements.current_terms().version)
        .first()
    )
    return found


@transaction.atomic
def accept_terms(*, organization: Organization, version: str, by: Actor) -> CloningTerms:
    """Once for each version; a second time changes nothing. Raises `InvalidRequest` for another version."""
    statement = statements.current_terms()
    statements.require_agreed(statement, consent=True, version=version)
    terms, _ = CloningTerms.objects.get_or_create(
        organization=organization,
        text_version=statement.version,
        defaults={**_agreed(statement, by), "given_at": timezone.now()},
    )
    return terms


def required_terms(organization: Organization) -> CloningTerms:
    """Raises `PermissionDenied` that says where to accept them."""
    terms = accepted_terms(organization)
    if terms is None:
        raise PermissionDenied(
            "An owner or admin of your organization must accept the terms for cloned voices first: "
            f"{settings.BASE_URL}{TERMS_PATH}",
            code="consent_required",
        )
    return terms


def record_consent(voice: Voice, *, by: Actor, via: str, terms: CloningTerms | None = None) -> VoiceConsent:
    """For a voice that was just made."""
    assert voice.organization_id is not None  # noqa: S101 - a cloned voice has one
    statement = statements.current_terms() if terms else statements.current_consent()
    consent: VoiceConsent = VoiceConsent.objects.create(
        voice=voice,
        organization_id=voice.organization_id,
        reference_sha256=voice.reference_sha256,
        via=via,
        terms=terms,
        given_at=voice.created_at,
        text_version=statement.version,
        **_agreed(statement, by),
    )
    return consent


def record_collected(voice: Voice, *, agreed: CollectedConsent) -> VoiceConsent:
    """Of a speaker whose recordings were collected: whoever the voice is for learns no more of them."""
    assert voice.organization_id is not None  # noqa: S101 - a cloned voice has one
    consent: VoiceConsent = VoiceConsent.objects.create(
        voice=voice,
        organization_id=voice.organization_id,
        reference_sha256=voice.reference_sha256,
        via=VoiceConsent.Via.COLLECTION,
        person_name=agreed.speaker[:200],
        text_version=agreed.text_version,
        text_sha256=agreed.text_sha256,
        given_at=agreed.given_at,
    )
    return consent


def end_consent(voice: Voice, *, by: Actor, reason: str) -> bool:
    """Closes what stands open and answers whether there was some; one withdrawn before stays as it is."""
    ended = VoiceConsent.objects.filter(voice=voice, withdrawn_at=None).update(
        withdrawn_at=timezone.now(),
        withdrawn_by=by.person,
        withdrawn_by_name=by.name,
        withdrawn_reason=reason[:500],
        updated_at=timezone.now(),
    )
    return bool(ended)


def _agreed(statement: Statement, by: Actor) -> dict[str, object]:
    return {
        "person": by.person,
        "person_name": by.name[:200],
        "person_email": by.email,
        "address": by.address,
        "text_sha256": statement.sha256,
    }
