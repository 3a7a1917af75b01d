"""Mails to people who were invited to a campaign: sent at least once, while it runs.

The row is locked while its mail is handed over, so that no other worker sends it too; one that is killed
meanwhile leaves it as it was.
"""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.contributions.models import Campaign, CampaignInvitation, Contributor
from apps.contributions.models.campaigns import MAX_MAIL_TRIES
from apps.contributions.showing import language_name
from apps.core import notices
from apps.core.errors import Conflict

logger = structlog.get_logger(__name__)

SEND: Final = "apps.contributions.tasks.mail_invitations"
EXPIRES_SECONDS: Final = 25
# One run ends before the sweep asks for the next: what is left waits for that.
MAILS_A_RUN: Final = 100
SECONDS_A_RUN: Final = 20.0
# How long after each try that failed the next one is.
PAUSES: Final = [timedelta(minutes=minutes) for minutes in (5, 30, 2 * 60, 8 * 60, 24 * 60)]
# A second click on "Send again" is no second mail.
AGAIN_AFTER: Final = timedelta(minutes=1)


class MailServerAway(Exception):
    """No mail can be handed over now, to whomever."""


def call() -> None:
    """Has those that are due sent once the transaction is over."""
    send = partial(notices.send, SEND, expires_seconds=EXPIRES_SECONDS)
    transaction.on_commit(send, robust=True)


def due() -> QuerySet[CampaignInvitation]:
    """Of campaigns that run now; who is suspended as a contributor gets none meanwhile."""
    suspended = Contributor.objects.filter(is_suspended=True, user__email__iexact=OuterRef("email"))
    return CampaignInvitation.objects.filter(
        Q(mail_due_at=None) | Q(mail_due_at__lte=timezone.now()),
        ~Exists(suspended),
        is_mail_wanted=True,
        mailed_at=None,
        mail_tries__lt=MAX_MAIL_TRIES,
        campaign__in=Campaign.objects.running(),
    )


def send_due() -> int:
    """At most so many as one run may; answers how many were sent."""
    sent, ends = 0, time.monotonic() + SECONDS_A_RUN
    for _ in range(MAILS_A_RUN):
        try:
            is_sent = _send_next()
        except MailServerAway as away:
            logger.warning("invitations not mailed, the mail server is away", error=str(away))
            break
        if is_sent is None:
            break
        sent += is_sent
        if time.monotonic() > ends:
            break
    return sent


def send_again(invitation: CampaignInvitation) -> None:
    """Also the first time. Raises `Conflict` where the campaign is closed, or a mail went out just now."""
    if invitation.campaign.state == Campaign.State.CLOSED:
        raise Conflict("The campaign is closed.")
    not_now = Q(mailed_at=None) | Q(mailed_at__lte=timezone.now() - AGAIN_AFTER)
    asked = CampaignInvitation.objects.filter(not_now, pk=invitation.pk).update(
        is_mail_wanted=True, mailed_at=None, mail_tries=0, mail_due_at=None, updated_at=timezone.now()
    )
    if not asked:
        raise Conflict(f"A mail to {invitation.email} went out a moment ago.")
    call()


@transaction.atomic
def _send_next() -> bool | None:
    """Whether the one whose turn it is was sent; `None` where there is none."""
    free = due().select_for_update(skip_locked=True, no_key=True, of=("self",))
    invitation = free.select_related("campaign__organization").order_by("mail_tries", "id").first()
    if invitation is None:
        return None
    mine = CampaignInvitation.objects.filter(pk=invitation.pk)
    refusal = _hand_over(_message(invitation))
    if refusal is None:
        mine.update(mailed_at=timezone.now(), updated_at=timezone.now())
        return True
    tries = invitation.mail_tries + 1
    pause = PAUSES[min(tries, len(PAUSES)) - 1]
    mine.update(mail_tries=F("mail_tries") + 1, mail_due_at=timezone.now() + pause, updated_at=timezone.now())
    logger.warning("invitation not mailed", invitation=str(invitation.pk), tries=tries, error=refusal)
    return False


def _hand_over(message: EmailMessage) -> str | None:
    """Over a connection of its own; the name of the error where it was refused."""
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:  # also all errors of SMTP
        raise MailServerAway(type(error).__name__) from error
    message.connection = connection
    try:
        message.send()
    except (OSError, ValueError) as error:
        return type(error).__name__
    finally:
        _hang_up(connection)
    return None


def _hang_up(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except OSError as error:
        logger.info("the mail server did not say goodbye", error=type(error).__name__)


def _message(invitation: CampaignInvitation) -> EmailMessage:
    campaign = invitation.campaign
    values = {
        "campaign": campaign,
        # Whatever somebody typed there is one line.
        "name": _one_line(campaign.name),
        "organization": _one_line(campaign.organization.name),
        "language": language_name(campaign.language),
        "email": invitation.email,
        "url": settings.BASE_URL + reverse("contribute_campaign", args=[campaign.pk]),
    }
    subject = render_to_string("contributions/email/invitation_subject.txt", values)
    body = render_to_string("contributions/email/invitation.txt", values)
    return EmailMessage(_one_line(subject), body, to=[invitation.email])


def _one_line(words: str) -> str:
    return " ".join(words.split())
