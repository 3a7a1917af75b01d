"""What attempts say of their endpoint: whether it is slow, whether it fails, and whether it goes on."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.accounts.services import managers_addresses
from apps.core import notices
from apps.webhooks import claims, events, outbox
from apps.webhooks.attempts import GONE
from apps.webhooks.claims import Claim, Outcome
from apps.webhooks.models import Attempt, Endpoint

logger = structlog.get_logger(__name__)

# An endpoint that receives nothing for so long is disabled.
FAILS_FOR: Final = timedelta(days=5)
SLOW_MS: Final = 2_000
# Its time of the last success is true to the minute.
SUCCESS_NOTED: Final = timedelta(seconds=55)
TELL_OWNERS = "apps.webhooks.tasks.tell_owners"
TELL_EXPIRES_SECONDS: Final = 60


def finish(endpoint: Endpoint, claim: Claim, outcome: Outcome) -> None:
    """Writes down how the attempt went, and what that says of the endpoint, as it was known lately."""
    claims.finish(claim, outcome)
    if outcome.duration_ms > SLOW_MS:
        claims.note_slow(endpoint.pk)
    if outcome.outcome == Attempt.Outcome.DELIVERED:
        last = endpoint.last_success_at
        if endpoint.failing_since is not None or last is None or claim.now - last > SUCCESS_NOTED:
            claims.note_heard(endpoint.pk)
            endpoint.failing_since, endpoint.last_success_at = None, claim.now
        return
    if endpoint.failing_since is None:
        claims.note_not_heard(endpoint.pk)
    if outcome.status == GONE:
        disable(endpoint, because=Endpoint.Disabled.GONE)
    elif endpoint.failing_since is not None and claim.now - endpoint.failing_since >= FAILS_FOR:
        disable(endpoint, because=Endpoint.Disabled.FAILING)


def disable(endpoint: Endpoint, *, because: Endpoint.Disabled) -> bool:
    """By the platform itself: the owners get a mail, their other endpoints an event. False where it was."""
    with transaction.atomic():
        disabled = (
            Endpoint.objects.enabled()
            .filter(pk=endpoint.pk)
            .update(
                disabled_at=timezone.now(), disabled_because=because, mail_due=True, updated_at=timezone.now()
            )
        )
        if not disabled:
            return False
        endpoint.refresh_from_db(fields=["disabled_at", "disabled_because", "failing_since"])
        outbox.emit(
            events.ENDPOINT_DISABLED.name,
            organization_id=endpoint.organization_id,
            data=events.of_endpoint(endpoint),
        )
        transaction.on_commit(
            partial(notices.send, TELL_OWNERS, str(endpoint.pk), expires_seconds=TELL_EXPIRES_SECONDS),
            robust=True,
        )
    logger.warning("webhook endpoint disabled", endpoint=str(endpoint.pk), because=str(because))
    return True


def mail_due() -> None:
    """Mails that were due and not sent: their notice was lost, or the mail server was away."""
    for endpoint_id in Endpoint.objects.filter(mail_due=True).values_list("pk", flat=True)[:20]:
        notices.send(TELL_OWNERS, str(endpoint_id), expires_seconds=TELL_EXPIRES_SECONDS)


@transaction.atomic
def tell_owners(endpoint_id: UUID) -> bool:
    """Mails once that the endpoint was disabled; the claim is given back where the mail fails."""
    if not Endpoint.objects.filter(pk=endpoint_id, mail_due=True).update(mail_due=False):
        return False
    endpoint = Endpoint.objects.select_related("organization").get(pk=endpoint_id)
    addresses = managers_addresses(endpoint.organization)
    if not addresses or endpoint.disabled_at is None or endpoint.deleted_at is not None:
        return False
    values = {
        "endpoint": endpoint,
        "url": settings.BASE_URL + reverse("webhook", args=[endpoint.pk]),
        "days": FAILS_FOR.days,
    }
    subject = render_to_string("webhooks/email/disabled_subject.txt", values)
    body = render_to_string("webhooks/email/disabled.txt", values)
    EmailMessage(" ".join(subject.split()), body, to=addresses).send()
    return True
