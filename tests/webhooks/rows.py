"""Endpoints, events and deliveries as they are found."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.ids import uuid7
from apps.webhooks import catalogue, outbox
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event
from apps.webhooks.services import IssuedSecret, create_endpoint

URL = "https://hooks.example.com/voice"
KEY_DATA: dict[str, Any] = {
    "key_id": "0197b3a2-11c4-7d0e-8a55-0f6e2b9c4d17",
    "name": "Website",
    "mode": "live",
    "prefix": "vf_live_7Kd2",
    "scopes": ["speech"],
    "expires_at": None,
}


def endpoint(organization: Organization, **fields: Any) -> IssuedSecret:
    asked = {"url": URL, "created_by": None} | fields
    return create_endpoint(organization=organization, **asked)


def cause(organization: Organization, name: str = "key.created") -> Event:
    """An event as a room causes it, for every endpoint that wants it."""
    with transaction.atomic():
        return outbox.emit(name, organization_id=organization.pk, data=catalogue.find(name).example)


def delivery(of: Endpoint, name: str = "key.created", **fields: Any) -> Delivery:
    """Of an event that is nobody else's."""
    with transaction.atomic():
        made = outbox.write_event(name, organization_id=of.organization_id, data=KEY_DATA)
        [row] = outbox.queue(made, [of.pk])
    Delivery.objects.filter(pk=row.pk).update(**fields)
    return Delivery.objects.get(pk=row.pk)


def attempt(of: Delivery, number: int = 1, **fields: Any) -> Attempt:
    told = {"outcome": "failed", "status": 500, "problem": "status", "duration_ms": 12}
    made = Attempt.objects.create(id=uuid7(), delivery=of, number=number, **told | fields)
    Delivery.objects.filter(pk=of.pk).update(attempts=number, attempt_id=made.pk)
    return made


def sending(of: Endpoint) -> Delivery:
    row = delivery(of)
    made = attempt(row, outcome="sending", status=None)
    Delivery.objects.filter(pk=row.pk).update(state="sending", attempt_id=made.pk, due_at=timezone.now())
    row.refresh_from_db()
    return row


def path_of(endpoint_id: UUID, step: str = "") -> str:
    return f"/api/webhooks/{endpoint_id}/{step}".rstrip("/")


def path_of_delivery(delivery_id: UUID, step: str = "") -> str:
    return f"/api/webhooks/deliveries/{delivery_id}/{step}".rstrip("/")
