"""Withdrawing consent, and erasing a person: use stops at once, files go soon, the ledger stays.

The request is a row before anything is removed; each step may be done over by another task.
"""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from apps.contributions import hooks, ledger
from apps.contributions.models import (
    Campaign,
    Clip,
    ClipPrint,
    ConsentRecord,
    ConsentWithdrawal,
    Contributor,
    Release,
    ReleasedClip,
    Vote,
)
from apps.core import media, notices
from apps.core.errors import Conflict
from apps.voices import events as voice_events

logger = structlog.get_logger(__name__)

CARRY_OUT: Final = "apps.contributions.tasks.carry_out_withdrawal"
EXPIRES_SECONDS: Final = 60


@transaction.atomic
def withdraw(consent: ConsentRecord, *, reason: str = "") -> ConsentWithdrawal:
    """From now on nothing new is made of it; with a purpose that the campaign needs, all of its clips go.

    Whatever versions of its text the person agreed to, the purpose ends. Raises `Conflict` where that was
    done before.
    """
    versions = ConsentRecord.objects.filter(
        contributor=consent.contributor_id, campaign=consent.campaign_id, purpose=consent.purpose
    )
    list(versions.select_for_update().order_by("id").values_list("pk"))
    if ConsentWithdrawal.objects.filter(consent=consent).exists():
        raise Conflict("This consent was withdrawn before.", code="consent_withdrawn")
    for version in versions.filter(withdrawal=None).order_by("id"):
        withdrawal = ConsentWithdrawal.objects.create(consent=version, reason=reason[:500])
        transaction.on_commit(partial(_call, withdrawal.pk), robust=True)
    locked = versions.select_related("campaign", "contributor").get(pk=consent.pk)
    if locked.purpose in locked.campaign.purposes:
        _end_clips(locked.contributor, locked.campaign)
    for stop in hooks.on_withdrawal:
        stop(locked)
    voice_events.recordings_withdrawn(
        organization_id=locked.campaign.organization_id,
        campaign_id=locked.campaign_id,
        purpose=locked.purpose,
    )
    return ConsentWithdrawal.objects.get(consent=locked)


@transaction.atomic
def withdraw_all(contributor: Contributor, *, reason: str = "") -> list[ConsentWithdrawal]:
    held = ConsentRecord.objects.filter(contributor=contributor, withdrawal=None).order_by("id")
    # With one of them go all versions of its text.
    of_purposes = {(consent.campaign_id, consent.purpose): consent for consent in held}
    return [withdraw(consent, reason=reason) for consent in of_purposes.values()]


@transaction.atomic
def erase(contributor: Contributor) -> None:
    """All consents are withdrawn and the person leaves the row; an account that has other uses stays.

    What they are still owed stays in the ledger under the speaker's number; a payout on its way goes on.
    """
    withdraw_all(contributor, reason="The person asked to be erased.")
    # Also clips of campaigns whose consent was withdrawn before, and what was never decided.
    for campaign in Campaign.objects.filter(clips__contributor=contributor).distinct():
        _end_clips(contributor, campaign)
    Vote.objects.filter(voter=contributor).delete()
    contributor.prompt_reports.all().delete()
    Contributor.objects.filter(pk=contributor.pk).update(
        user=None,
        erased_at=timezone.now(),
        age_band="",
        gender="",
        accent="",
        payout_account="",
        updated_at=timezone.now(),
    )
    contributor.refresh_from_db()


def carry_out(withdrawal_id: UUID) -> bool:
    """Removes files and what was derived from them; False where that was done before."""
    withdrawal = (
        ConsentWithdrawal.objects.select_related("consent")
        .filter(pk=withdrawal_id, state=ConsentWithdrawal.State.REQUESTED)
        .first()
    )
    if withdrawal is None:
        return False
    consent = withdrawal.consent
    gone = Clip.objects.filter(
        contributor=consent.contributor_id,
        campaign=consent.campaign_id,
        state=Clip.State.WITHDRAWN,
        files_gone_at=None,
    )
    for clip in gone.order_by("id"):
        remove_files(clip)
    for remove in hooks.on_carrying_out:
        remove(consent)
    ConsentWithdrawal.objects.filter(pk=withdrawal.pk).update(
        state=ConsentWithdrawal.State.DONE, done_at=timezone.now(), updated_at=timezone.now()
    )
    return True


def open_withdrawals() -> list[UUID]:
    found = ConsentWithdrawal.objects.filter(state=ConsentWithdrawal.State.REQUESTED)
    return list(found.order_by("id").values_list("pk", flat=True))


def remove_files(clip: Clip) -> None:
    """The recording and everything made of it; the row stays, with nothing of the voice in it."""
    stored = {key for key, _ in media.listed(clip.folder)}
    for key in stored | {clip.original_key, clip.flac_key} - {""}:
        media.delete(key)
    ClipPrint.objects.filter(clip=clip).delete()
    Clip.objects.filter(pk=clip.pk).update(
        original_key="",
        flac_key="",
        fingerprint=None,
        voice=None,
        transcript="",
        report=[],
        figures={},
        files_gone_at=timezone.now(),
        updated_at=timezone.now(),
    )


def _end_clips(contributor: Contributor, campaign: Campaign) -> None:
    """They are used no more from this transaction on; what they earned and is still on hold is taken back.

    What was released to the person stays theirs.
    """
    clips = Clip.objects.select_for_update().filter(contributor=contributor, campaign=campaign)
    for clip in clips.exclude(state=Clip.State.WITHDRAWN).order_by("id"):
        ledger.take_back_held(clip)
        clip.state = Clip.State.WITHDRAWN
        clip.reason = ""
        clip.claimed_by = clip.claimed_until = None
        clip.save(update_fields=["state", "reason", "claimed_by", "claimed_until", "updated_at"])
    ReleasedClip.objects.filter(
        clip__contributor=contributor,
        clip__campaign=campaign,
        release__state__in=[Release.State.QUEUED, Release.State.MAKING],
    ).update(is_removed=True)


def _call(withdrawal_id: UUID) -> None:
    notices.send(CARRY_OUT, str(withdrawal_id), expires_seconds=EXPIRES_SECONDS)
