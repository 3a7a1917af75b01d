"""A contributor's own recordings: listed, found, deleted."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet

from apps.contributions import ledger, withdrawing
from apps.contributions.models import Clip, Contributor, Release, ReleasedClip
from apps.core.errors import Conflict, NotFound, Unavailable
from apps.core.media.links import Linked

logger = structlog.get_logger(__name__)


def listed(contributor: Contributor) -> QuerySet[Clip]:
    """Newest first."""
    return Clip.objects.filter(contributor=contributor).select_related("prompt", "campaign").order_by("-id")


def find(contributor: Contributor, clip_id: UUID) -> Clip:
    """Raises `NotFound`, for another person's too."""
    clip = listed(contributor).filter(pk=clip_id).first()
    if clip is None:
        raise NotFound("There is no such recording.")
    return clip


def sound_of(clip: Clip) -> Linked:
    """Its decoded audio, for who may hear it. Raises `NotFound` where there is none, or none yet."""
    if not clip.flac_key or clip.state == Clip.State.WITHDRAWN:
        raise NotFound("There is no audio of this recording yet, or no more.")
    return Linked(clip.flac_key, 0, f"{clip.pk}.flac", "audio/flac", attachment=False)


def delete(contributor: Contributor, clip: Clip) -> None:
    """For good: it is used no more, what it earned and is on hold is taken back, its files go at once.

    A release that has it already stays as it is; the next one leaves it out and says so. Raises `Conflict`
    where it was deleted or withdrawn before.
    """
    with transaction.atomic():
        locked = Clip.objects.select_for_update().get(pk=clip.pk, contributor=contributor)
        if locked.state == Clip.State.WITHDRAWN:
            raise Conflict("This recording was deleted before.", code="clip_deleted")
        ledger.take_back_held(locked)
        locked.state, locked.reason = Clip.State.WITHDRAWN, ""
        locked.claimed_by = locked.claimed_until = None
        locked.save(update_fields=["state", "reason", "claimed_by", "claimed_until", "updated_at"])
        ReleasedClip.objects.filter(
            clip=locked, release__state__in=[Release.State.QUEUED, Release.State.MAKING]
        ).update(is_removed=True)
    try:
        withdrawing.remove_files(locked)
    except Unavailable:
        # The sweep finds it: it is withdrawn, and its files are not gone.
        logger.warning("files of a deleted clip not removed yet", clip=str(locked.pk))


def remove_left_files() -> int:
    """Of recordings that were deleted while the storage was away; answers how many."""
    left = list(Clip.objects.filter(state=Clip.State.WITHDRAWN, files_gone_at=None).order_by("id")[:100])
    for clip in left:
        withdrawing.remove_files(clip)
    return len(left)
