"""A recording comes in: kept before it is answered for, once, however often it is sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import IO, Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.contributions import consenting, people, sentences
from apps.contributions.models import Campaign, Clip, Contributor, Prompt
from apps.core import media, notices
from apps.core.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge, PermissionDenied
from apps.core.ids import uuid7

CHECK: Final = "apps.contributions.tasks.check_clip"
CHECK_EXPIRES_SECONDS: Final = 60
MIN_BYTES: Final = 200
MAX_TOLD_MS: Final = 60_000


@dataclass(frozen=True)
class Taken:
    """A clip, and whether this upload made it; else it was there from an earlier one."""

    clip: Clip
    is_new: bool


def take(
    *,
    contributor: Contributor,
    prompt_id: UUID,
    upload_id: UUID,
    recording: IO[bytes],
    size: int,
    told_duration_ms: int,
) -> Taken:
    """Keeps the file and has it checked. The same upload again answers with the same clip.

    Raises `NotFound`, `PermissionDenied` (`consent_required`, `suspended`), `InvalidRequest`,
    `PayloadTooLarge`, `Conflict` (`already_recorded`, `duplicate_recording`, `campaign_closed`,
    `nothing_wanted`) and `Unavailable`.
    """
    people.require_active(contributor)
    earlier = _earlier(contributor, upload_id)
    if earlier is not None:
        return Taken(earlier, is_new=False)
    prompt = _prompt_for(contributor, prompt_id)
    campaign = prompt.campaign
    content = _content(recording, size)
    _require_duration(told_duration_ms)
    if not consenting.may_record(contributor, campaign):
        raise PermissionDenied("Agree to the campaign's terms first.", code="consent_required")
    clip = Clip(
        id=uuid7(),
        campaign=campaign,
        prompt=prompt,
        contributor=contributor,
        upload_id=upload_id,
        original_sha256=hashlib.sha256(content).hexdigest(),
        original_bytes=len(content),
        told_duration_ms=told_duration_ms,
        cents_per_minute=campaign.cents_per_minute,
    )
    clip.original_key = f"{clip.folder}/original"
    try:
        with transaction.atomic():
            _require_wanted(campaign, contributor)
            clip.save(force_insert=True)
            clip.consents.set(consenting.in_force(contributor, campaign).values())
            # Last, so that nothing is kept of a clip that is not written after all.
            media.save(clip.original_key, content)
            transaction.on_commit(
                partial(notices.send, CHECK, str(clip.pk), expires_seconds=CHECK_EXPIRES_SECONDS),
                robust=True,
            )
    except IntegrityError:
        return _taken_meanwhile(clip)
    return Taken(clip, is_new=True)


def _earlier(contributor: Contributor, upload_id: UUID) -> Clip | None:
    found: Clip | None = Clip.objects.filter(contributor=contributor, upload_id=upload_id).first()
    return found


def _prompt_for(contributor: Contributor, prompt_id: UUID) -> Prompt:
    """Raises `NotFound` where the person may not see its campaign at all, `Conflict` where it is over."""
    prompt = Prompt.objects.select_related("campaign").filter(pk=prompt_id).first()
    user = contributor.user
    if prompt is None or user is None:
        raise NotFound("There is no such sentence.")
    if not Campaign.objects.open_to(user).filter(pk=prompt.campaign_id).exists():
        known = Clip.objects.filter(contributor=contributor, campaign=prompt.campaign).exists()
        if known or consenting.in_force(contributor, prompt.campaign):
            raise Conflict("The campaign takes no recordings at the moment.", code="campaign_closed")
        raise NotFound("There is no such sentence.")
    return prompt


def _content(recording: IO[bytes], size: int) -> bytes:
    if size > settings.CLIP_MAX_BYTES:
        raise PayloadTooLarge(f"A recording has at most {settings.CLIP_MAX_BYTES:,} bytes.")
    recording.seek(0)
    content = recording.read(settings.CLIP_MAX_BYTES + 1)
    if len(content) > settings.CLIP_MAX_BYTES:
        raise PayloadTooLarge(f"A recording has at most {settings.CLIP_MAX_BYTES:,} bytes.")
    if len(content) < MIN_BYTES:
        raise InvalidRequest("The recording is empty.", param="recording", code="empty_recording")
    return content


def _require_duration(told_ms: int) -> None:
    if not 0 < told_ms <= MAX_TOLD_MS:
        raise InvalidRequest(f"A recording takes up to {MAX_TOLD_MS // 1000} seconds.", param="duration_ms")


def _require_wanted(campaign: Campaign, contributor: Contributor) -> None:
    """The row lock makes the counts true where two recordings come at once."""
    Contributor.objects.select_for_update(no_key=True).only("pk").get(pk=contributor.pk)
    if sentences.has_enough_of(contributor, campaign):
        raise Conflict("The campaign has all it wants of your voice. Thank you.", code="nothing_wanted")
    if sentences.is_spent(campaign):
        raise Conflict("The campaign has all the recordings it can pay for.", code="nothing_wanted")
    if (
        Clip.objects.filter(
            contributor=contributor, created_at__gte=timezone.now() - timedelta(hours=1)
        ).count()
        >= settings.CLIPS_PER_HOUR
    ):
        raise Conflict("These are many recordings in an hour. Take a break.", code="too_many_clips")


def _taken_meanwhile(clip: Clip) -> Taken:
    """Another upload was first: this very one, one of the same sentence, or one of the same file."""
    earlier = _earlier(clip.contributor, clip.upload_id)
    if earlier is not None:
        return Taken(earlier, is_new=False)
    of_prompt = Clip.objects.counting().filter(contributor=clip.contributor, prompt=clip.prompt)
    if of_prompt.exists():
        raise Conflict("You have recorded this sentence.", code="already_recorded")
    raise Conflict("This recording was sent before.", code="duplicate_recording")
