"""Which voice a request means, and the platform's word for a worker that it may be spoken with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from django.conf import settings

from apps.core import media
from apps.core.errors import NotFound, PermissionDenied
from apps.voices.models import Voice, reference_key
from gpu_worker.protocol import sign_consent

# Long enough for a worker to begin a fetch, short enough to be worth little to who finds it in a log.
LOCATION_SECONDS = 300


@dataclass(frozen=True, slots=True)
class ResolvedVoice:
    """A cloned voice that may be spoken. On the wire its name is the SHA-256 of its recording."""

    id: UUID
    organization_id: UUID
    name: str
    sha256: str

    @property
    def public_id(self) -> str:
        return str(self.id)

    @property
    def reference_key(self) -> str:
        return reference_key(self.organization_id, self.sha256)


@dataclass(frozen=True, slots=True)
class _Closed:
    """A voice that is there and may not be spoken."""

    code: str
    message: str

    def refusal(self) -> PermissionDenied:
        return PermissionDenied(self.message, code=self.code, param="voice")


@dataclass(frozen=True, slots=True)
class OwnVoices:
    """All cloned voices of an organization at one version of its policy, by id and by name.

    Read whole, so that words which name no voice cost no query.
    """

    found: dict[str, ResolvedVoice | _Closed] = field(default_factory=dict)

    def find(self, reference: str) -> ResolvedVoice | None:
        """By id or exact name. Raises `PermissionDenied` (`voice_suspended`, `consent_withdrawn`)."""
        voice = self.found.get(reference)
        if isinstance(voice, _Closed):
            raise voice.refusal()
        return voice

    @classmethod
    def read(cls, organization_id: UUID) -> Self:
        """One query."""
        rows = Voice.objects.filter(organization_id=organization_id).cloned().live().order_by("id")
        found: dict[str, ResolvedVoice | _Closed] = {}
        for voice in rows:
            meant = _meant(voice, organization_id)
            found[voice.name] = found[str(voice.pk)] = meant
        return cls(found)


def find_voice(*, organization_id: UUID, reference: str) -> ResolvedVoice | None:
    """An organization's own voice by id or exact name, or None. One query. Raises `PermissionDenied`."""
    return OwnVoices.read(organization_id).find(reference)


def require_speakable(voice: ResolvedVoice) -> None:
    """Returns if it may be spoken at this moment. Raises `PermissionDenied` or `NotFound`. One query."""
    row = Voice.objects.cloned().live().filter(pk=voice.id).first()
    if row is None:
        raise NotFound("This voice was deleted.", code="voice_not_found", param="voice")
    meant = _meant(row, voice.organization_id)
    if isinstance(meant, _Closed):
        raise meant.refusal()


def suspended_platform_voices() -> frozenset[str]:
    """Names that staff have taken from all. One query, of few rows."""
    suspended = Voice.objects.filter(organization=None, state=Voice.State.SUSPENDED)
    return frozenset(suspended.values_list("engine_voice", flat=True))


def consent_token(voice: ResolvedVoice) -> str:
    """Good for a minute, for this voice and its organization alone. Needs CONSENT_SECRET."""
    return sign_consent(voice.sha256, secret=settings.CONSENT_SECRET, tenant=str(voice.organization_id))


def reference_location(voice: ResolvedVoice) -> str | None:
    """Where a worker may fetch the recording within five minutes; None where there is no bucket."""
    if not settings.S3_BUCKET:
        return None
    return media.signed_link(
        voice.reference_key,
        expires_seconds=LOCATION_SECONDS,
        filename=f"{voice.sha256}.wav",
        content_type="audio/wav",
    )


def _meant(voice: Voice, organization_id: UUID) -> ResolvedVoice | _Closed:
    match voice.state:
        case Voice.State.SUSPENDED:
            return _Closed(
                "voice_suspended", f"The voice {voice.name} is suspended: {voice.suspended_reason}"
            )
        case Voice.State.WITHDRAWN:
            return _Closed("consent_withdrawn", f"The consent to the voice {voice.name} was withdrawn.")
    return ResolvedVoice(voice.pk, organization_id, voice.name, voice.reference_sha256)
