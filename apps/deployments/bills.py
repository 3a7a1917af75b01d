"""The bill of each day: what providers took, beside what was written down, and staff told where it is off."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.deployments import costs
from apps.deployments.models import BillCheck, Run
from apps.deployments.providers import providers_in_use
from apps.deployments.providers.base import ProviderError

logger = structlog.get_logger(__name__)

TOLERANCE = Decimal("0.05")
# Below this a few cents of rounding are a large part.
SMALLEST_USD = Decimal(1)
# What could not be mailed by then is in admin, and the next day's check tells of what is off still.
MAILED_WITHIN = timedelta(days=2)


def check_bills() -> list[BillCheck]:
    """Compares what providers took since the last check with what was written down, and says what is off."""
    checks = []
    for name, provider in providers_in_use().items():
        try:
            balance = provider.balance()
        except ProviderError as error:
            logger.info("bill not checked", provider=name, reason=error.message)
            continue
        if balance is not None:
            checks.append(_check(name, balance, timezone.now()))
    return checks


def due_for_mail() -> list[UUID]:
    """Bills that are off and that staff were not told of yet."""
    lately = BillCheck.objects.filter(created_at__gt=timezone.now() - MAILED_WITHIN)
    return list(lately.filter(is_off=True, mailed_at=None).order_by("id").values_list("pk", flat=True))


@transaction.atomic
def mail(check_id: UUID) -> bool:
    """Tells staff who may see bills, once; answers whether this call did.

    The claim is given back where the mail fails, with the error of the mail backend.
    """
    claimed = BillCheck.objects.filter(pk=check_id, is_off=True, mailed_at=None)
    if not claimed.update(mailed_at=timezone.now()):
        return False
    check = BillCheck.objects.get(pk=check_id)
    addresses = _told_by_mail()
    if addresses:
        values = {
            "check": check,
            "tolerance_percent": f"{TOLERANCE:.0%}".removesuffix("%"),
            "runs_url": settings.BASE_URL + reverse("admin:deployments_run_changelist"),
            "url": settings.BASE_URL + reverse("admin:deployments_billcheck_changelist"),
        }
        subject = render_to_string("deployments/email/bill_subject.txt", values).strip()
        body = render_to_string("deployments/email/bill.txt", values)
        EmailMessage(subject, body, to=addresses).send()
    return True


def _told_by_mail() -> list[str]:
    permission = {"content_type__app_label": "deployments", "codename": "view_billcheck"}
    may_see = Q(is_superuser=True)
    for held in ("user_permissions", "groups__permissions"):
        may_see |= Q(**{f"{held}__{name}": value for name, value in permission.items()})
    staff = User.objects.filter(may_see, is_active=True, is_staff=True).exclude(email="")
    return list(staff.order_by("email").values_list("email", flat=True).distinct())


def _check(provider: str, balance: Decimal, now: datetime) -> BillCheck:
    before = BillCheck.objects.filter(provider=provider).first()
    check = BillCheck(provider=provider, balance=balance)
    if before is not None and before.balance >= balance:
        check.taken = before.balance - balance
        runs = Run.objects.filter(deployment__provider=provider)
        check.recorded = costs.of(runs, since=before.created_at, until=now)
        off_by = abs(check.taken - check.recorded)
        larger = max(check.taken, check.recorded)
        check.is_off = larger >= SMALLEST_USD and off_by > TOLERANCE * larger
    check.save()
    if check.is_off:
        logger.error("bill is off", provider=provider, taken=str(check.taken), recorded=str(check.recorded))
    return check
