"""Voices of speakers who agreed to be cloned, made of their best recordings; they end with that consent."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Final

import structlog
from django.db import transaction

from apps.accounts.models import User
from apps.contributions import consenting
from apps.contributions.models import (
    Campaign,
    Clip,
    ConsentRecord,
    Contributor,
    Purpose,
    VoiceFromCollection,
)
from apps.core import media
from apps.core.errors import Conflict, PermissionDenied
from apps.voices import services as voices
from apps.voices.actors import Actor
from apps.voices.consents import CollectedConsent
from apps.voices.models import ENDED, Voice
from apps.voices.recordings.checking import MAX_FILES, reference_of

logger = structlog.get_logger(__name__)

# A reference keeps half a minute: more would not be heard.
_WANTED_MS: Final = 30_000
_MIN_SPEECH_MS: Final = 10_000
# One that is looked at for being among the best.
_LOOKED_AT: Final = 500
_REASON: Final = "The speaker withdrew their consent."


def make_voice(
    *, campaign: Campaign, contributor: Contributor, name: str, by: User | None
) -> VoiceFromCollection:
    """A voice of the campaign's organization. Takes 0.3 s and more.

    Raises `PermissionDenied` (`consent_required`), `Conflict` (`too_little_speech`, `voice_made`), and what
    `add_collected_voice` and `reference_of` do.
    """
    voices.require_cloning()
    _held_consent(contributor, campaign)
    clips = best_clips(contributor, campaign)
    if sum(clip.speech_ms or 0 for clip in clips) < _MIN_SPEECH_MS:
        raise Conflict(
            f"A voice needs {_MIN_SPEECH_MS // 1000} s of accepted speech by this speaker.",
            code="too_little_speech",
        )
    reference = reference_of([io.BytesIO(media.read(clip.flac_key)) for clip in clips])
    with transaction.atomic():
        # Locked, and looked at anew: a withdrawal waits for this voice and ends it, or this sees it.
        consent = _held_consent(contributor, campaign, lock=True)
        _require_intact(clips)
        _refuse_second(contributor, campaign)
        voice = voices.add_collected_voice(
            organization=campaign.organization,
            name=name,
            reference=reference,
            agreed=_agreed(consent),
            created_by=by,
            languages=[campaign.language],
        )
        made: VoiceFromCollection = VoiceFromCollection.objects.create(
            voice=voice, campaign=campaign, contributor=contributor, consent=consent, created_by=by
        )
        made.clips.set(clips)
    return made


def best_clips(contributor: Contributor, campaign: Campaign) -> list[Clip]:
    """Half a minute of what was accepted, the clearest and best understood first."""
    accepted = Clip.objects.filter(contributor=contributor, campaign=campaign, state=Clip.State.ACCEPTED)
    usable = accepted.filter(files_gone_at=None).exclude(flac_key="").order_by("-id")[:_LOOKED_AT]
    chosen: list[Clip] = []
    length = 0
    for clip in sorted(usable, key=_rank):
        if length >= _WANTED_MS or len(chosen) == MAX_FILES:
            break
        chosen.append(clip)
        length += clip.duration_ms or 0
    return chosen


def stop_voices(consent: ConsentRecord) -> None:
    """Called in the transaction that withdraws: voices of this speaker end, everywhere within a minute.

    Those of a campaign that needs what was withdrawn end too: the recordings that they are made of are gone.
    """
    if consent.purpose != Purpose.VOICE_CLONING and consent.purpose not in consent.campaign.purposes:
        return
    made = VoiceFromCollection.objects.filter(
        contributor=consent.contributor_id, campaign=consent.campaign_id
    )
    speaker = Actor(person=None, name=str(consent.contributor))
    for voice in Voice.objects.filter(pk__in=made.values("voice_id")).exclude(state__in=ENDED):
        try:
            voices.withdraw_consent(voice=voice, by=speaker, reason=_REASON)
        except Conflict:  # ended by somebody else meanwhile
            logger.info("voice had ended", voice=str(voice.pk))


def _rank(clip: Clip) -> tuple[float, float, float]:
    """The smaller the better; what was not measured comes last."""
    figures = clip.figures
    mos, errors = figures.get("overall_mos"), figures.get("word_error_rate")
    return (-(mos or 0.0), 1.0 if errors is None else errors, -float(clip.speech_ms or 0))


def _held_consent(contributor: Contributor, campaign: Campaign, *, lock: bool = False) -> ConsentRecord:
    """Its newest record that holds. Raises `PermissionDenied`."""
    held = consenting.in_force(contributor, campaign).get(Purpose.VOICE_CLONING)
    if held is not None and lock:
        ConsentRecord.objects.select_for_update().get(pk=held.pk)
        held = consenting.in_force(contributor, campaign).get(Purpose.VOICE_CLONING)
    if held is None or contributor.erased_at is not None:
        raise PermissionDenied("This speaker has not agreed to be cloned.", code="consent_required")
    return held


def _require_intact(clips: Iterable[Clip]) -> None:
    """Another consent, with which the recordings go, may have been withdrawn meanwhile."""
    chosen = [clip.pk for clip in clips]
    locked = Clip.objects.select_for_update(no_key=True).filter(pk__in=chosen).order_by("id")
    if any(state != Clip.State.ACCEPTED for state in locked.values_list("state", flat=True)):
        raise Conflict("The recordings have changed meanwhile. Try again.", code="clips_changed")


def _refuse_second(contributor: Contributor, campaign: Campaign) -> None:
    made = VoiceFromCollection.objects.filter(contributor=contributor, campaign=campaign)
    if made.exclude(voice__state__in=ENDED).exists():
        raise Conflict("There is a voice of this speaker.", code="voice_made")


def _agreed(consent: ConsentRecord) -> CollectedConsent:
    return CollectedConsent(
        speaker=str(consent.contributor),
        text_version=f"{consent.locale[:10]}-{consent.version}",
        text_sha256=consent.sha256,
        given_at=consent.created_at,
    )
