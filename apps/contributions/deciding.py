"""What becomes of a clip: by its report, by listeners, or by staff; and what follows from that."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from apps.accounts.models import User
from apps.contributions import events, ledger
from apps.contributions.models import Campaign, Clip, ClipReport, Contributor, Decision, Vote
from apps.core.errors import Conflict, InvalidRequest, PermissionDenied

_S = Clip.State
VOTES_TO_DECIDE: Final = 2


@transaction.atomic
def decide(
    clip: Clip, *, to: Clip.State, source: Decision.Source, reason: str = "", by: User | None = None
) -> None:
    """From what is not decided to accepted, rejected or in review; money and events go along.

    Raises `Conflict` where it was decided or withdrawn meanwhile.
    """
    locked = _locked(clip)
    if locked.state not in Clip.UNDECIDED or locked.state == to:
        raise Conflict(f"The clip is {locked.get_state_display().lower()}.", code="clip_decided")
    if to == _S.ACCEPTED and locked.speech_ms is None:
        raise Conflict("The clip has not been checked yet.", code="clip_unchecked")
    _note(locked, to, source=source, reason=reason, by=by)
    if to == _S.ACCEPTED:
        ledger.earn(locked)
    if to in (_S.ACCEPTED, _S.REJECTED):
        events.clip_decided(locked)
    clip.refresh_from_db()


def take_back(clip: Clip, *, by: User, reason: str) -> None:
    """By staff: whoever decided. Raises as `reopen` does, and `InvalidRequest` without a reason."""
    if not reason.strip():
        raise InvalidRequest("Say why.", param="reason")
    reopen(clip, reason=reason.strip(), by=by)


@transaction.atomic
def reopen(clip: Clip, *, reason: str, by: User | None = None) -> None:
    """Undoes a decision: the clip is in review again, in a new round, and what it earned is reversed.

    Raises `Conflict` where nothing was decided, or the sentence has another recording by now.
    """
    locked = _locked(clip)
    if locked.state not in (_S.ACCEPTED, _S.REJECTED):
        raise Conflict("Nothing was decided about this clip.", code="clip_undecided")
    if locked.files_gone_at is not None:
        raise Conflict("Its recording is gone.", code="clip_gone")
    others = Clip.objects.counting().filter(contributor=locked.contributor, prompt=locked.prompt)
    same_file = Clip.objects.counting().filter(
        campaign=locked.campaign, original_sha256=locked.original_sha256
    )
    if (others | same_file).exclude(pk=locked.pk).exists():
        raise Conflict("The sentence was recorded again meanwhile.", code="clip_replaced")
    ledger.take_back(locked)
    locked.decisions.filter(round=locked.round, undone_at=None).update(undone_at=timezone.now())
    locked.round += 1
    source = Decision.Source.STAFF if by is not None else Decision.Source.PIPELINE
    _note(locked, _S.IN_REVIEW, source=source, reason=reason, by=by)
    clip.refresh_from_db()


@transaction.atomic
def vote(contributor: Contributor, clip: Clip, *, is_valid: bool) -> Clip.State:
    """Counts once for each person and clip, the newest word; decides with two more for one side than against.

    Raises `PermissionDenied` for one's own clip, `Conflict` for one that is not in review.
    """
    if clip.contributor_id == contributor.pk:
        raise PermissionDenied("You cannot judge your own recording.", code="own_clip")
    locked = _locked(clip)
    if locked.state != _S.IN_REVIEW:
        raise Conflict("This clip is not in review any more.", code="clip_decided")
    Vote.objects.update_or_create(
        clip=locked, voter=contributor, round=locked.round, defaults={"is_valid": is_valid}
    )
    ups, downs = votes_of(locked)
    if ups >= VOTES_TO_DECIDE and ups > downs:
        decide(locked, to=_S.ACCEPTED, source=Decision.Source.VOTES)
    elif downs >= VOTES_TO_DECIDE and downs > ups:
        reason = "Listeners did not hear the sentence as it is written."
        decide(locked, to=_S.REJECTED, source=Decision.Source.VOTES, reason=reason)
    clip.refresh_from_db()
    return Clip.State(clip.state)


def votes_of(clip: Clip) -> tuple[int, int]:
    """For and against, in this round."""
    cast = clip.votes.filter(round=clip.round).aggregate(
        ups=Count("pk", filter=Q(is_valid=True)), downs=Count("pk", filter=Q(is_valid=False))
    )
    return cast["ups"], cast["downs"]


def to_judge(contributor: Contributor, *, count: int) -> list[Clip]:
    """Clips in review that this person may listen to: none of their own, none that they reported, or voted on
    in this round; those of sentences with the fewest accepted first, then those that waited longest."""
    campaigns = Campaign.objects.open_to(contributor.user) if contributor.user else Campaign.objects.none()
    voted = Vote.objects.filter(voter=contributor, clip=OuterRef("pk"), round=OuterRef("round"))
    reported = ClipReport.objects.filter(reporter=contributor)
    return list(
        Clip.objects.filter(state=_S.IN_REVIEW, campaign__in=campaigns)
        .exclude(contributor=contributor)
        .exclude(flac_key="")
        .exclude(Exists(voted))
        .exclude(pk__in=reported.values("clip_id"))
        .annotate(accepted=Count("prompt__clips", filter=Q(prompt__clips__state=_S.ACCEPTED), distinct=True))
        .order_by("accepted", "id")
        .select_related("prompt", "campaign")[:count]
    )


def report_clip(contributor: Contributor, clip: Clip, reason: str) -> None:
    """It goes to staff, and is not played to this person again."""
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidRequest("Say what is wrong.", param="reason")
    ClipReport.objects.update_or_create(clip=clip, reporter=contributor, defaults={"reason": reason[:200]})


def _locked(clip: Clip) -> Clip:
    found: Clip = (
        Clip.objects.select_for_update(of=("self",))
        .select_related("campaign", "contributor", "prompt")
        .get(pk=clip.pk)
    )
    return found


def _note(
    clip: Clip, to: Clip.State, *, source: Decision.Source, reason: str = "", by: User | None = None
) -> None:
    before = clip.state
    clip.state, clip.reason = to, reason[:500]
    clip.decided_at = timezone.now() if to in (_S.ACCEPTED, _S.REJECTED) else None
    clip.claimed_until = None
    clip.save(update_fields=["state", "reason", "decided_at", "claimed_until", "round", "updated_at"])
    Decision.objects.create(
        clip=clip,
        round=clip.round,
        source=source,
        from_state=before,
        to_state=to,
        reason=reason[:500],
        by=by,
    )
