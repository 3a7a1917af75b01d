"""Links to local files that prove themselves: what is served, and until when, signed by SECRET_KEY."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse

_SALT = "apps.core.media"


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link leads to. `expires_at` is in seconds since the epoch."""

    key: str
    expires_at: int
    filename: str
    content_type: str
    attachment: bool


def made(key: str, *, expires_seconds: int, filename: str, content_type: str, attachment: bool) -> str:
    told = [key, int(time.time()) + expires_seconds, filename, content_type, attachment]
    signed = signing.dumps(told, salt=_SALT)
    return f"{settings.BASE_URL}{reverse('media', args=[signed])}"


def opened(signed: str) -> Linked | None:
    """What was signed; None for a link that is forged, damaged or past its time."""
    try:
        linked = Linked(*signing.loads(signed, salt=_SALT))
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return linked if time.time() < linked.expires_at else None
