"""What is told of limits that were reached: mails to those who run an organization, notices on its pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Organization
from apps.accounts.services import managers_addresses
from apps.keys.models import ApiKey
from apps.usage.allowances import Allowance, allowances
from apps.usage.models import UsageNotice
from apps.usage.spans import DAY

KEYS_SHOWN = 4
MAILED_WITHIN = timedelta(days=3)


@dataclass(frozen=True)
class Standing:
    """A notice that holds by the limit and the figures of now."""

    threshold: int
    allowance: Allowance

    @property
    def is_reached(self) -> bool:
        return self.threshold == UsageNotice.Threshold.REACHED


@dataclass(frozen=True)
class Month:
    """Characters of this UTC month; `ends` is the day on which they are counted anew.

    `more` are limited keys beyond those nearest to their limits.
    """

    ends: date
    allowances: list[Allowance]
    more: list[Allowance]
    notices: list[Standing]


def due_for_mail() -> list[UUID]:
    """Also those whose mail failed, or whose process was killed; none that is news no more."""
    since = timezone.now() - MAILED_WITHIN
    due = UsageNotice.objects.filter(wants_mail=True, mailed_at=None, created_at__gte=since)
    return list(due.order_by("id").values_list("pk", flat=True))


@transaction.atomic
def mail(notice_id: UUID) -> bool:
    """Sends it once, to owners and admins; answers whether this call did.

    The claim is given back where the mail fails, with the error of the mail backend.
    """
    claimed = UsageNotice.objects.filter(pk=notice_id, mailed_at=None, wants_mail=True)
    if not claimed.update(mailed_at=timezone.now()):
        return False
    notice = UsageNotice.objects.select_related("organization", "key").get(pk=notice_id)
    addresses = managers_addresses(notice.organization)
    if addresses:
        values = {
            "notice": notice,
            "ends": month_after(notice.month),
            "url": settings.BASE_URL + reverse("usage"),
        }
        subject = render_to_string("usage/email/limit_subject.txt", values)
        EmailMessage(
            " ".join(subject.split()), render_to_string("usage/email/limit_message.txt", values), to=addresses
        ).send()
    return True


def month_after(month: date) -> date:
    return (month.replace(day=1) + 31 * DAY).replace(day=1)


def this_month(organization: Organization) -> Month:
    """Five queries. Test characters are left out where there are none."""
    month = timezone.now().date().replace(day=1)
    known = allowances([organization.pk], month)
    whole = [a for a in known if not a.key and (a.used or a.mode == ApiKey.Mode.LIVE)]
    keys = sorted((a for a in known if a.key), key=lambda a: a.share or 0, reverse=True)
    return Month(
        ends=month_after(month),
        allowances=whole + keys[:KEYS_SHOWN],
        more=keys[KEYS_SHOWN:],
        notices=_holding(_written(organization, month), known),
    )


def standing(organization: Organization) -> list[Standing]:
    """For each limit the highest notice of this month that holds. One query while there is none."""
    month = timezone.now().date().replace(day=1)
    written = _written(organization, month)
    return _holding(written, allowances([organization.pk], month)) if written else []


def _written(organization: Organization, month: date) -> list[UsageNotice]:
    return list(UsageNotice.objects.for_organization(organization).filter(month=month))


def _holding(written: Sequence[UsageNotice], known: Sequence[Allowance]) -> list[Standing]:
    found = []
    for allowance in known:
        if allowance.key or allowance.mode == ApiKey.Mode.LIVE:
            own = (notice.threshold for notice in written if notice.key_id == allowance.key_id)
            threshold = max(filter(allowance.reaches, own), default=None)
            if threshold:
                found.append(Standing(threshold, allowance))
    return found
