"""The voices an organization sees: searched and filtered, the same for pages and API."""

from __future__ import annotations

import contextlib
import re
from uuid import UUID

from django.db.models import F, Func, Q, TextField, Value

from apps.accounts.models import Organization
from apps.core.errors import NotFound
from apps.voices.models import Voice, VoiceQuerySet


def listed_voices(
    organization: Organization, *, search: str = "", category: str = "", language: str = ""
) -> VoiceQuerySet:
    """A language finds its regions too: `en` also en-GB."""
    voices: VoiceQuerySet = Voice.objects.visible_to(organization).prefetch_related("consents")
    if search:
        voices = voices.filter(Q(name__icontains=search) | Q(description__icontains=search))
    if category:
        voices = voices.filter(category=category)
    if language:
        # An array has no operator that looks at beginnings; its words in a row have.
        words = Func(F("languages"), Value(" "), function="array_to_string", output_field=TextField())
        wanted = rf"(^| ){re.escape(language)}(-| |$)"
        voices = voices.annotate(language_words=words).filter(language_words__iregex=wanted)
    return voices


def find_listed(organization: Organization, public_id: str) -> Voice:
    """Raises `NotFound`."""
    # PostgreSQL takes no text with a NUL in it, not even to look for.
    wanted = Q(category=Voice.Category.PREMADE, engine_voice=public_id.replace("\x00", "\ufffd"))
    with contextlib.suppress(ValueError):
        wanted |= Q(category=Voice.Category.CLONED, pk=UUID(public_id))
    voice: Voice | None = (
        Voice.objects.visible_to(organization).filter(wanted).prefetch_related("consents").first()
    )
    if voice is None:
        raise NotFound("There is no such voice.", code="voice_not_found")
    return voice
