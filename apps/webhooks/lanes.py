"""The leases on an endpoint: so many tasks at most send there at once, however many are called."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import connection
from django.db.models.functions import Now

from apps.webhooks.models import Endpoint, Lane

LANES: Final = 2
# Longer than any attempt: a task that is cut keeps the others away for so long.
HELD_SECONDS: Final = 40
RENEWED_AFTER_SECONDS: Final = 10

_TAKE = """
UPDATE webhooks_lane SET owner = %(owner)s, held_until = now() + %(held)s
WHERE id = (
    SELECT id FROM webhooks_lane
    WHERE endpoint_id = %(endpoint)s AND (held_until IS NULL OR held_until <= now())
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


@dataclass(slots=True)
class Held:
    """A lane that is ours until it lapses."""

    lane_id: int
    endpoint_id: UUID
    owner: UUID
    renewed_at: float

    def renew(self) -> bool:
        """Every few seconds; False where it lapsed and somebody else has it."""
        if time.monotonic() - self.renewed_at < RENEWED_AFTER_SECONDS:
            return True
        ours = Lane.objects.filter(pk=self.lane_id, owner=self.owner)
        self.renewed_at = time.monotonic()
        return bool(ours.update(held_until=Now() + _held()))

    def release(self) -> None:
        Lane.objects.filter(pk=self.lane_id, owner=self.owner).update(owner=None, held_until=None)


def make(endpoint: Endpoint) -> None:
    Lane.objects.bulk_create(Lane(endpoint=endpoint, number=number) for number in range(LANES))


def take(endpoint_id: UUID) -> Held | None:
    """None where all are held."""
    owner = uuid4()
    values: dict[str, Any] = {"endpoint": endpoint_id, "owner": owner, "held": _held()}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        row = cursor.fetchone()
    return Held(row[0], endpoint_id, owner, time.monotonic()) if row else None


def _held() -> timedelta:
    return timedelta(seconds=HELD_SECONDS)
