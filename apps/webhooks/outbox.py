"""Events are written where they are caused: with the change itself, and so are their deliveries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from apps.core.ids import uuid7, uuid7_time
from apps.webhooks import catalogue, waking
from apps.webhooks.models import Delivery, Endpoint, Event

_RANDOM_BITS = (1 << 62) - 1


def emit(name: str, *, organization_id: UUID, data: Mapping[str, Any]) -> Event:
    """Tells the organization's endpoints that want it, once the transaction that runs has committed.

    `data` as the catalogue says, with what JSON can hold. Two queries, and one more where somebody listens.
    Raises `RuntimeError` outside a transaction, `LookupError` for a name that no room registered.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an event is written in the transaction that causes it")
    event = write_event(name, organization_id=organization_id, data=data)
    listening = [
        endpoint
        for endpoint in Endpoint.objects.enabled().filter(organization_id=organization_id).only("events")
        if catalogue.fits(endpoint.events, name)
    ]
    queue(event, [endpoint.pk for endpoint in listening])
    return event


def write_event(name: str, *, organization_id: UUID, data: Mapping[str, Any], is_test: bool = False) -> Event:
    """The event alone, which nobody hears of yet."""
    kind = catalogue.find(name)
    event = Event(id=uuid7(), organization_id=organization_id, type=name, is_test=is_test)
    body = kind.body(event.message_id, moment=uuid7_time(event.id), data=data, is_test=is_test)
    event.body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    event.save(force_insert=True)
    return event


def queue(event: Event, endpoint_ids: Iterable[UUID]) -> list[Delivery]:
    """One delivery for each endpoint, to be attempted at once; those that are there already stay."""
    return queue_all((event, endpoint_id) for endpoint_id in endpoint_ids)


def queue_all(pairs: Iterable[tuple[Event, UUID]]) -> list[Delivery]:
    """As `queue`, for many events and endpoints in one statement."""
    deliveries = Delivery.objects.bulk_create(
        [
            Delivery(
                id=delivery_id(event.pk, endpoint_id),
                event_id=event.pk,
                endpoint_id=endpoint_id,
                organization_id=event.organization_id,
                event_type=event.type,
                due_at=Now(),
            )
            for event, endpoint_id in pairs
        ],
        ignore_conflicts=True,
    )
    wake_after_commit(delivery.endpoint_id for delivery in deliveries)
    return deliveries


def wake_after_commit(endpoint_ids: Iterable[UUID]) -> None:
    """What fails to be told here is found by the sweep."""
    for endpoint_id in set(endpoint_ids):
        transaction.on_commit(partial(waking.wake, endpoint_id), robust=True)


def delivery_id(event_id: UUID, endpoint_id: UUID) -> UUID:
    """A UUIDv7 of the event's millisecond whose other bits are a hash of both, so that it lies in the same
    month, and a second delivery of the event to the endpoint is the first one."""
    digest = int.from_bytes(hashlib.sha256(event_id.bytes + endpoint_id.bytes).digest()[:10])
    milliseconds = event_id.int >> 80
    return UUID(
        int=milliseconds << 80 | 0x7 << 76 | (digest >> 62 & 0xFFF) << 64 | 0b10 << 62 | digest & _RANDOM_BITS
    )
