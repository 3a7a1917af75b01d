"""Listening to others: who may hear which recording, and what they say of it."""

from __future__ import annotations

from uuid import UUID

from apps.contributions import deciding, people
from apps.contributions.models import Campaign, Clip, ClipReport, Contributor
from apps.core.errors import Conflict, NotFound, PermissionDenied

AT_ONCE = 5


def queue(contributor: Contributor, *, count: int = AT_ONCE) -> list[Clip]:
    """What this person is asked to judge next. Raises `PermissionDenied` (`suspended`)."""
    people.require_active(contributor)
    return deciding.to_judge(contributor, count=count)


def find(contributor: Contributor, clip_id: UUID) -> Clip:
    """Another's clip that this person may hear now. Raises `NotFound`, `PermissionDenied`."""
    clip = _of_others(contributor, clip_id)
    if clip.state != Clip.State.IN_REVIEW:
        raise NotFound("There is no such recording.")
    return clip


def find_to_judge(contributor: Contributor, clip_id: UUID) -> Clip:
    """As `find`, also where it was decided meanwhile. Raises `PermissionDenied` (`own_clip`), too."""
    if Clip.objects.filter(pk=clip_id, contributor=contributor).exists():
        raise PermissionDenied("You cannot judge your own recording.", code="own_clip")
    return _of_others(contributor, clip_id)


def report(contributor: Contributor, clip: Clip, *, reason: str) -> None:
    """Raises `Conflict` (`clip_decided`) where nobody is to judge it any more."""
    if clip.state not in Clip.UNDECIDED:
        raise Conflict("This clip is not in review any more.", code="clip_decided")
    deciding.report_clip(contributor, clip, reason)


def _of_others(contributor: Contributor, clip_id: UUID) -> Clip:
    """Of a campaign that is open to them, and not reported by them."""
    people.require_active(contributor)
    if contributor.user is None:
        raise NotFound("There is no such recording.")
    clip = (
        Clip.objects.filter(pk=clip_id, campaign__in=Campaign.objects.open_to(contributor.user))
        .exclude(contributor=contributor)
        .exclude(flac_key="")
        .exclude(state=Clip.State.WITHDRAWN)
        .exclude(pk__in=ClipReport.objects.filter(reporter=contributor).values("clip_id"))
        .select_related("prompt", "campaign")
        .first()
    )
    if clip is None:
        raise NotFound("There is no such recording.")
    return clip
