"""What ElevenLabs' names for models mean where there is one that speaks many languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from apps.deployments.catalogue import Offer
from apps.tts.elevenlabs.model_names import model_body, model_of


def offer(model: str, **changed: Any) -> Offer:
    fields: dict[str, Any] = {
        "model": model,
        "engine": model,
        "voices": ("heart",),
        "languages": ("en",),
        "features": frozenset(),
        "is_ready": True,
        "is_shared": True,
        "created_at": timezone.now(),
    }
    return Offer(**fields | changed)


OFFERS = [
    offer("hibari"),
    offer("turbo", voices=("aria",), features=frozenset({"clone"})),
    offer("many", voices=("aria",), languages=("en", "de", "zh"), features=frozenset({"clone"})),
]


@pytest.mark.parametrize(
    ("model_id", "voice", "model"),
    [
        (None, "heart", None),
        ("eleven_multilingual_v2", "heart", None),
        ("eleven_multilingual_v2", "aria", "many"),
        ("eleven_v3", "0192f1d2-0000-7000-8000-000000000000", "many"),
        ("eleven_turbo_v2", "aria", None),
        ("hibari", "aria", "hibari"),
        ("eleven_bogus", "aria", "eleven_bogus"),
    ],
)
def test_a_name_means_a_model_that_has_the_voice(model_id: str | None, voice: str, model: str | None) -> None:
    assert model_of(model_id, voice=voice, offers=OFFERS) == model


def test_a_model_tells_its_languages_by_name() -> None:
    body = model_body(OFFERS[2], characters_per_request=4000)
    assert [language["name"] for language in body["languages"]] == ["English", "German", "Chinese"]
    assert body["can_use_style"]
    assert body["maximum_text_length_per_request"] == 4000
