"""Postings: what is owed to contributors, by double entry. Each sums to zero, and none ever changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.utils import timezone

from apps.contributions.models import Account, Clip, Contributor, Entry, Payout, PayoutBatch, Posting
from apps.contributions.models.clips import earned_cents

logger = structlog.get_logger(__name__)

_A = Account
# Theirs are owed to somebody; the others are the platform's own.
_OWED: Final = frozenset({_A.PENDING, _A.PAYABLE})
RELEASED_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Balance:
    """What somebody has earned, in US cents. `on_the_way` was begun and is not confirmed yet."""

    pending: int
    payable: int
    on_the_way: int
    paid: int

    @property
    def earned(self) -> int:
        return self.pending + self.payable + self.on_the_way + self.paid


@transaction.atomic
def earn(clip: Clip) -> Posting | None:
    """For a clip that was accepted: once for each round. None where it comes to nothing."""
    cents = clip.earned_cents
    if not cents:
        return None
    due = timezone.now() + timedelta(days=clip.campaign.hold_days)
    return _post(
        Posting.Kind.EARNED,
        {_A.EXPENSE: cents, _A.PENDING: -cents},
        clip.contributor,
        clip=clip,
        campaign_id=clip.campaign_id,
        round=clip.round,
        due_at=due,
    )


@transaction.atomic
def take_back(clip: Clip) -> Posting | None:
    """Undoes what this round of the clip earned, wherever it stands; None where it earned nothing.

    What was paid already makes the payable balance negative: it is set off against what is earned later.
    """
    earned = _of(clip, Posting.Kind.EARNED)
    if earned is None or _of(clip, Posting.Kind.REVERSED) is not None:
        return None
    cents = earned.entries.get(account=_A.EXPENSE).cents
    released = _of(clip, Posting.Kind.RELEASED)
    owed = _A.PAYABLE if released is not None else _A.PENDING
    return _post(
        Posting.Kind.REVERSED,
        {_A.EXPENSE: -cents, owed: cents},
        clip.contributor,
        clip=clip,
        campaign_id=clip.campaign_id,
        round=clip.round,
    )


@transaction.atomic
def take_back_held(clip: Clip) -> Posting | None:
    """As `take_back`, where the hold is not over; what is payable stays with the person."""
    if _of(clip, Posting.Kind.RELEASED) is not None:
        return None
    return take_back(clip)


def release_due() -> int:
    """What was on hold for its time becomes payable; answers how many clips it was of."""
    due = (
        Posting.objects.filter(kind=Posting.Kind.EARNED, due_at__lte=timezone.now())
        .exclude(_ended(Posting.Kind.RELEASED, Posting.Kind.REVERSED))
        .order_by("id")
        .values_list("pk", flat=True)
    )
    return sum(map(_release, list(due[:RELEASED_AT_ONCE])))


def begin_payout(payout: Payout) -> Posting:
    return _move(payout, Posting.Kind.PAYOUT_BEGUN, {_A.PAYABLE: payout.cents, _A.CLEARING: -payout.cents})


def finish_payout(payout: Payout) -> Posting:
    return _move(payout, Posting.Kind.PAYOUT_PAID, {_A.CLEARING: payout.cents, _A.CASH: -payout.cents})


def fail_payout(payout: Payout) -> Posting:
    """The amount is payable again."""
    return _move(payout, Posting.Kind.PAYOUT_FAILED, {_A.CLEARING: payout.cents, _A.PAYABLE: -payout.cents})


def return_payout(payout: Payout) -> Posting:
    """It was paid and came back: the amount is payable again."""
    return _move(payout, Posting.Kind.PAYOUT_RETURNED, {_A.CASH: payout.cents, _A.PAYABLE: -payout.cents})


def balance(contributor: Contributor) -> Balance:
    owed = _sums(Entry.objects.filter(contributor=contributor))
    begun = Q(state__in=Payout.OPEN, batch__state=PayoutBatch.State.APPROVED)
    amounts = Payout.objects.filter(contributor=contributor).aggregate(
        on_the_way=Sum("cents", filter=begun),
        paid=Sum("cents", filter=Q(state=Payout.State.PAID)),
    )
    return Balance(
        pending=-owed.get(_A.PENDING, 0),
        payable=-owed.get(_A.PAYABLE, 0),
        on_the_way=amounts["on_the_way"] or 0,
        paid=amounts["paid"] or 0,
    )


def spent_cents(campaign_id: Any) -> int:
    """What a campaign's speech has cost so far."""
    found = Entry.objects.filter(posting__campaign_id=campaign_id, account=_A.EXPENSE)
    return found.aggregate(total=Sum("cents"))["total"] or 0


def totals() -> dict[str, int]:
    """Of every account; together they come to nothing."""
    return _sums(Entry.objects.all())


def flaws() -> list[str]:
    """What is wrong with the ledger, in words; empty where it holds. Reads all of it."""
    found = []
    total = sum(totals().values())
    if total:
        found.append(f"All accounts together come to {total} cents instead of nothing.")
    uneven = (
        Posting.objects.annotate(total=Sum("entries__cents"), lines=Count("entries"))
        .exclude(total=0, lines__gte=2)
        .values_list("pk", flat=True)
    )
    found += [f"Posting {posting_id} does not come to nothing." for posting_id in uneven[:20]]
    found += _unpaid_flaws() + _payout_flaws()
    return found


def _unpaid_flaws() -> list[str]:
    """Clips and postings that do not agree."""
    live = Posting.objects.filter(kind=Posting.Kind.EARNED).exclude(_ended(Posting.Kind.REVERSED))
    paid_for_nothing = live.filter(clip__state=Clip.State.REJECTED).values_list("clip_id", flat=True)
    found = [f"Clip {clip_id} was rejected, and is paid." for clip_id in paid_for_nothing[:20]]
    twice = live.values("clip_id").annotate(count=Count("pk")).filter(count__gt=1)
    found += [f"Clip {row['clip_id']} is paid {row['count']} times." for row in twice[:20]]
    expenses = Sum("postings__entries__cents", filter=Q(postings__entries__account=_A.EXPENSE))
    accepted = Clip.objects.filter(state=Clip.State.ACCEPTED).annotate(cents=expenses)
    rows = accepted.values_list("pk", "cents", "speech_ms", "cents_per_minute")
    wrong = [
        (clip_id, cents or 0, due)
        for clip_id, cents, speech_ms, rate in rows.iterator()
        if (cents or 0) != (due := earned_cents(speech_ms or 0, rate))
    ]
    return found + [
        f"Clip {clip_id} was accepted and is paid {cents} of {due} cents."
        for clip_id, cents, due in wrong[:20]
    ]


def _payout_flaws() -> list[str]:
    clearing = -totals().get(_A.CLEARING, 0)
    begun = Payout.objects.filter(state__in=Payout.OPEN, batch__state=PayoutBatch.State.APPROVED)
    open_cents = begun.aggregate(total=Sum("cents"))["total"] or 0
    if clearing == open_cents:
        return []
    return [f"{clearing} cents are on their way, {open_cents} by the payouts."]


def _release(posting_id: Any) -> bool:
    with transaction.atomic():
        earned = Posting.objects.select_related("clip__contributor").get(pk=posting_id)
        assert earned.clip is not None  # noqa: S101 - what was earned is of a clip
        Clip.objects.select_for_update().get(pk=earned.clip.pk)
        ended = Posting.objects.filter(
            clip=earned.clip,
            round=earned.round,
            kind__in=[Posting.Kind.RELEASED, Posting.Kind.REVERSED],
        )
        if ended.exists():
            return False
        cents = earned.entries.get(account=_A.EXPENSE).cents
        _post(
            Posting.Kind.RELEASED,
            {_A.PENDING: cents, _A.PAYABLE: -cents},
            earned.clip.contributor,
            clip=earned.clip,
            campaign_id=earned.campaign_id,
            round=earned.round,
        )
    return True


def _move(payout: Payout, kind: Posting.Kind, amounts: Mapping[Account, int]) -> Posting:
    with transaction.atomic():
        return _post(kind, amounts, payout.contributor, payout=payout)


def _post(kind: Posting.Kind, amounts: Mapping[Account, int], contributor: Contributor, **of: Any) -> Posting:
    """Raises `IntegrityError` for a second one of the same kind: whoever calls holds the row that decides."""
    if sum(amounts.values()):
        raise IntegrityError("a posting comes to nothing")
    posting = Posting.objects.create(kind=kind, **of)
    Entry.objects.bulk_create(
        Entry(
            posting=posting,
            account=account,
            contributor=contributor if account in _OWED else None,
            cents=cents,
        )
        for account, cents in amounts.items()
    )
    return posting


def _ended(*kinds: Posting.Kind) -> Exists:
    """Of what was earned: that the very same round has such a posting. (An `exclude` by two fields of a
    clip's postings would be met by two postings, also of two rounds.)"""
    same = Posting.objects.filter(clip=OuterRef("clip"), round=OuterRef("round"), kind__in=kinds)
    return Exists(same)


def _of(clip: Clip, kind: Posting.Kind) -> Posting | None:
    found: Posting | None = Posting.objects.filter(clip=clip, round=clip.round, kind=kind).first()
    return found


def _sums(entries: Any) -> dict[str, int]:
    rows = entries.order_by().values("account").annotate(total=Sum("cents"))
    return {row["account"]: row["total"] for row in rows}
