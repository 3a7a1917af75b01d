"""Usage rows as speech processes leave them."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.ids import uuid7_floor
from apps.usage.models import SpeechProcess, UsageRecord


def id_at(moment: datetime) -> uuid.UUID:
    """A UUIDv7 of that moment."""
    return uuid.UUID(int=uuid7_floor(moment).int | secrets.randbits(62))


def record(organization: Organization, *, at: datetime | None = None, **fields: Any) -> UsageRecord:
    """A settled request of 10 characters; `at` is its beginning, `state="open"` leaves it open."""
    state = fields.pop("state", UsageRecord.State.OK)
    is_open = state == UsageRecord.State.OPEN
    values: dict[str, Any] = {
        "owner_id": uuid.uuid4(),
        "request_id": f"req_{uuid.uuid4().hex}",
        "mode": "live",
        "surface": "generate",
        "model": "hibari",
        "voice": "heart",
        "characters": 10,
        "characters_charged": 0 if is_open else 10,
        "audio_ms": 0 if is_open else 600,
        "closed_at": None if is_open else timezone.now(),
    }
    began = at or timezone.now()
    created: UsageRecord = UsageRecord.objects.create(
        id=id_at(began), organization=organization, state=state, **values | fields
    )
    return created


def process(
    *, silent_for: timedelta = timedelta(0), hostname: str = "elsewhere", pid: int = 1
) -> SpeechProcess:
    """A speech process whose last heartbeat lies that long ago."""
    now = timezone.now()
    return SpeechProcess.objects.create(
        id=uuid.uuid4(), hostname=hostname, pid=pid, started_at=now, heartbeat_at=now - silent_for
    )
