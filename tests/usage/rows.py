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
    row = unsaved(organization, at=at, **fields)
    row.save(force_insert=True)
    return row


def close(row: UsageRecord, *, state: str = "ok", **fields: Any) -> None:
    """Settles an open request; all of its characters are charged where nothing else is said."""
    charged = {"characters_charged": row.characters if state == "ok" else 0}
    UsageRecord.objects.filter(pk=row.pk).update(
        state=state, closed_at=timezone.now(), **charged | {"audio_ms": 600} | fields
    )


def unsaved(organization: Organization, *, at: datetime | None = None, **fields: Any) -> UsageRecord:
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
        "characters_charged": 0 if is_open else min(10, fields.get("characters", 10)),
        "audio_ms": 0 if is_open else 600,
        "closed_at": None if is_open else timezone.now(),
    }
    return UsageRecord(
        id=id_at(at or timezone.now()), organization=organization, state=state, **values | fields
    )


def process(
    *, silent_for: timedelta = timedelta(0), hostname: str = "elsewhere", pid: int = 1
) -> SpeechProcess:
    """A speech process whose last heartbeat lies that long ago."""
    now = timezone.now()
    return SpeechProcess.objects.create(
        id=uuid.uuid4(), hostname=hostname, pid=pid, started_at=now, heartbeat_at=now - silent_for
    )
