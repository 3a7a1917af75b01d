"""Sending again: one delivery, all that failed, what was never sent; and trying an endpoint out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.errors import Conflict, InvalidRequest, NotFound, RateLimited
from apps.core.ids import uuid7_floor
from apps.webhooks import catalogue, outbox
from apps.webhooks.models import Delivery, Endpoint, Event

BATCH: Final = 500
MAX_TESTS_AN_HOUR: Final = 100
_S = Delivery.State


def delivery_of(organization: Organization, delivery_id: UUID | str) -> Delivery:
    """Raises `NotFound`, also for what is another organization's, or went to an endpoint that is deleted."""
    found: Delivery | None = (
        Delivery.objects.for_organization(organization)
        .filter(pk=delivery_id, endpoint__deleted_at=None)
        .select_related("event", "endpoint")
        .first()
    )
    if found is None:
        raise NotFound("There is no such delivery.")
    return found


@transaction.atomic
def resend(delivery: Delivery) -> None:
    """Attempts it at once, whatever came of it before, and by the whole schedule again.

    Raises `Conflict` while it is being sent, or where its endpoint is disabled.
    """
    _require_enabled(delivery.endpoint)
    again = Delivery.objects.filter(pk=delivery.pk).exclude(state=_S.SENDING)
    if not again.update(state=_S.PENDING, due_at=Now(), tries=0):
        raise Conflict("It is being sent right now.", code="being_sent")
    outbox.wake_after_commit([delivery.endpoint_id])
    delivery.refresh_from_db()


def cancel(delivery: Delivery) -> None:
    """It is not attempted any more; an attempt that is under way may still arrive.

    Raises `Conflict` where there is nothing to cancel.
    """
    if not Delivery.objects.filter(pk=delivery.pk, state__in=Delivery.OPEN).update(state=_S.CANCELLED):
        raise Conflict("It does not wait to be sent.", code="not_waiting")
    delivery.refresh_from_db()


@transaction.atomic
def recover(endpoint: Endpoint, *, since: datetime, include_missing: bool = False) -> int:
    """Sends anew what failed of the events since then; answers how many.

    With `include_missing` also what was never queued for it: while it was disabled, or did not exist yet, of
    the kinds that it wants now. Raises `Conflict` where it is disabled.
    """
    _require_enabled(endpoint)
    begin = uuid7_floor(max(since, timezone.now() - timedelta(days=settings.WEBHOOK_LOG_DAYS)))
    failed = Delivery.objects.filter(endpoint=endpoint, state=_S.FAILED, pk__gte=begin)
    count: int = failed.update(state=_S.PENDING, due_at=Now(), tries=0)
    if include_missing:
        for events in _batches(endpoint, begin):
            count += _queue_missing(endpoint, events)
    outbox.wake_after_commit([endpoint.pk])
    return count


@transaction.atomic
def send_test(endpoint: Endpoint, name: str) -> Delivery:
    """The example of that kind of event, marked as a test, to this endpoint alone, whatever it wants.

    Raises `InvalidRequest` for a kind that there is not, `Conflict` where the endpoint is disabled, and
    `RateLimited`.
    """
    _require_enabled(endpoint)
    lately = uuid7_floor(timezone.now() - timedelta(hours=1))
    made = Event.objects.filter(organization_id=endpoint.organization_id, is_test=True, pk__gte=lately)
    if made.count() >= MAX_TESTS_AN_HOUR:
        raise RateLimited("These are many test events in an hour.", retry_after_seconds=600)
    try:
        kind = catalogue.find(name)
    except LookupError:
        raise InvalidRequest(f"There is no event called {name!r}.", param="type") from None
    event = outbox.write_event(
        kind.name, organization_id=endpoint.organization_id, data=kind.example, is_test=True
    )
    return outbox.queue(event, [endpoint.pk])[0]


def _require_enabled(endpoint: Endpoint) -> None:
    if not Endpoint.objects.enabled().filter(pk=endpoint.pk).exists():
        raise Conflict("The endpoint is disabled. Enable it first.", code="endpoint_disabled")


def _batches(endpoint: Endpoint, begin: UUID) -> Iterator[list[Event]]:
    after: Any = {"pk__gte": begin}
    while True:
        page = list(
            Event.objects.filter(organization_id=endpoint.organization_id, is_test=False, **after)
            .order_by("id")
            .only("organization_id", "type")[:BATCH]
        )
        if not page:
            return
        yield [event for event in page if catalogue.fits(endpoint.events, event.type)]
        after = {"pk__gt": page[-1].pk}


def _queue_missing(endpoint: Endpoint, events: list[Event]) -> int:
    ids = {outbox.delivery_id(event.pk, endpoint.pk): event for event in events}
    there = set(Delivery.objects.filter(pk__in=list(ids)).values_list("pk", flat=True))
    missing = [event for delivery_id, event in ids.items() if delivery_id not in there]
    outbox.queue_all((event, endpoint.pk) for event in missing)
    return len(missing)
