"""What Celery does for voice collection; each may be done twice."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task

from apps.contributions import checking, invitation_mails, ledger, left_files, own_clips, withdrawing
from apps.contributions.quality import DecodingTimedOut

logger = structlog.get_logger(__name__)

TIME_LIMIT_SECONDS = 150


# Its queue is named in the settings: what listens to clips loads models, and takes seconds for each.
@shared_task(expires=600, time_limit=TIME_LIMIT_SECONDS, ignore_result=True)
def check_clip(clip_id: str) -> None:
    try:
        checking.check(UUID(clip_id))
    except DecodingTimedOut:
        logger.warning("clip not decoded in time", clip=clip_id)


@shared_task(expires=600, time_limit=3600, ignore_result=True)
def judge_again(campaign_id: str) -> None:
    from apps.contributions.models import Campaign

    checking.judge_again(Campaign.objects.get(pk=campaign_id))


@shared_task(ignore_result=True)
def carry_out_withdrawal(withdrawal_id: str) -> None:
    withdrawing.carry_out(UUID(withdrawal_id))


@shared_task(expires=invitation_mails.EXPIRES_SECONDS, ignore_result=True)
def mail_invitations() -> None:
    invitation_mails.send_due()


@shared_task(expires=25, ignore_result=True)
def sweep() -> None:
    """On schedule: what nobody was called for, or whose task died."""
    for clip_id in checking.waiting():
        check_clip.delay(str(clip_id))
    for withdrawal_id in withdrawing.open_withdrawals():
        carry_out_withdrawal.delay(str(withdrawal_id))
    if invitation_mails.due().exists():
        mail_invitations.delay()
    own_clips.remove_left_files()


@shared_task(expires=3600, time_limit=4 * 3600, ignore_result=True)
def remove_left_files() -> None:
    """On schedule: recordings that no clip leads to."""
    left_files.sweep()


@shared_task(expires=600, ignore_result=True)
def release_earnings() -> None:
    ledger.release_due()


@shared_task(expires=3600, ignore_result=True)
def check_ledger() -> None:
    for flaw in ledger.flaws():
        logger.error("the ledger does not hold", flaw=flaw)
