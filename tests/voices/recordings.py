"""Recordings for tests of the platform, and voices cloned from them."""

from __future__ import annotations

import io
from typing import Any

from apps.accounts.models import Organization, User
from apps.voices import statements
from apps.voices.actors import Actor
from apps.voices.models import Voice, VoiceConsent
from apps.voices.services import add_voice
from tests.gpu_worker.voices.recordings import recording

ADDRESS = "203.0.113.7"


def actor(person: User) -> Actor:
    return Actor.of_person(person, address=ADDRESS)


def clone(
    organization: Organization, by: User | Actor, *, name: str = "Ada", hertz: float = 330, **changed: Any
) -> Voice:
    """A voice cloned from four seconds of a tone, with consent."""
    arguments: dict[str, Any] = {
        "recordings": [io.BytesIO(recording(hertz=hertz))],
        "by": by if isinstance(by, Actor) else actor(by),
        "via": VoiceConsent.Via.CONSOLE,
        "consent": True,
        "consent_version": statements.current_consent().version,
    }
    return add_voice(organization=organization, name=name, **arguments | changed)
