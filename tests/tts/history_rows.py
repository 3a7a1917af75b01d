"""Items of a history as speech processes leave them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.models import Organization
from apps.core import media
from apps.tts.models import HistoryItem
from tests.usage.rows import id_at

AUDIO = b"RIFF, and what follows"


def item(
    organization: Organization, text: str = "Hello there.", *, at: datetime | None = None, **fields: Any
) -> HistoryItem:
    """A kept request of that moment, with its file."""
    began = at or timezone.now()
    values: dict[str, Any] = {
        "request_id": "req_1",
        "mode": "live",
        "surface": "generate",
        "model": "hibari",
        "voice": "heart",
        "format": "wav",
        "characters": len(text),
        "audio_ms": 1200,
        "size_bytes": len(AUDIO),
        "expires_at": began + timedelta(days=30),
    }
    created: HistoryItem = HistoryItem.objects.create(
        id=id_at(began), organization=organization, text=text, **values | fields
    )
    if created.has_audio:
        media.save(created.media_key, AUDIO)
    return created
