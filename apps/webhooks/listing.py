"""What pages and the API show of endpoints and of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.errors import NotFound
from apps.core.ids import uuid7_floor
from apps.webhooks.models import Attempt, Delivery, Endpoint

LATELY = timedelta(hours=24)


@dataclass(frozen=True)
class Tally:
    """Deliveries of the last 24 hours to one endpoint, by how they stand."""

    delivered: int = 0
    failed: int = 0
    waiting: int = 0

    @property
    def decided(self) -> int:
        return self.delivered + self.failed

    @property
    def share_delivered(self) -> float | None:
        """Of those that were decided; None where none was."""
        return self.delivered / self.decided if self.decided else None


def endpoints(organization: Organization) -> QuerySet[Endpoint]:
    """With `previous_secret_expires_at`: until when an older secret than the newest holds."""
    until = Max("secrets__expires_at", filter=Q(secrets__expires_at__gt=Now()))
    kept: QuerySet[Endpoint] = Endpoint.objects.for_organization(organization).kept()
    return kept.annotate(previous_secret_expires_at=until).order_by("-id")


def endpoint(organization: Organization, endpoint_id: UUID) -> Endpoint:
    """One of `endpoints`. Raises `NotFound`, also for what is another organization's."""
    found = endpoints(organization).filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such endpoint.")
    return found


def deliveries(
    organization: Organization,
    *,
    endpoint: Endpoint | None = None,
    state: str = "",
    event_type: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Delivery]:
    """Newest first. `event_type` is a name, or a beginning such as `deployment.*`."""
    found = Delivery.objects.for_organization(organization)
    if endpoint is not None:
        found = found.filter(endpoint=endpoint)
    if state:
        found = found.filter(state=state)
    if event_type.endswith(".*"):
        found = found.filter(event_type__startswith=event_type[:-1])
    elif event_type:
        found = found.filter(event_type=event_type)
    if since is not None:
        found = found.filter(pk__gte=uuid7_floor(since))
    if until is not None:
        found = found.filter(pk__lt=uuid7_floor(until))
    return found.order_by("-id")


def attempts(delivery: Delivery) -> list[Attempt]:
    """Oldest first."""
    return list(Attempt.objects.filter(delivery_id=delivery.pk).order_by("id"))


def tallies(chosen: Sequence[Endpoint]) -> dict[UUID, Tally]:
    """Of each endpoint, in one query."""
    since = uuid7_floor(timezone.now() - LATELY)
    rows = (
        Delivery.objects.filter(endpoint__in=[endpoint.pk for endpoint in chosen], pk__gte=since)
        .values("endpoint_id")
        .annotate(
            delivered=Count("pk", filter=Q(state=Delivery.State.DELIVERED)),
            failed=Count("pk", filter=Q(state=Delivery.State.FAILED)),
            waiting=Count("pk", filter=Q(state__in=Delivery.OPEN)),
        )
    )
    found = {
        row["endpoint_id"]: Tally(row["delivered"], row["failed"], row["waiting"]) for row in rows.order_by()
    }
    return {endpoint.pk: found.get(endpoint.pk, Tally()) for endpoint in chosen}
