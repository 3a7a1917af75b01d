"""`model_id`: ElevenLabs' names for models, and ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.conf.locale import LANG_INFO

from apps.deployments.catalogue import CLONE, Offer

# Whether each of theirs speaks more than English. All of them leave the choice to the platform.
THEIR_MODELS: Final[dict[str, bool]] = {
    "eleven_v3": True,
    "eleven_multilingual_v2": True,
    "eleven_multilingual_v1": True,
    "eleven_flash_v2_5": True,
    "eleven_turbo_v2_5": True,
    "eleven_flash_v2": False,
    "eleven_turbo_v2": False,
    "eleven_monolingual_v1": False,
}
HELP: Final = (
    "One of ours, taken as it is. ElevenLabs' names leave the choice to the platform; those that speak many"
    " languages mean a model that does, where there is one with this voice."
)
_NAMES: Final[dict[str, str]] = {"zh": "Chinese"} | {
    tag: info["name"] for tag, info in LANG_INFO.items() if "name" in info
}


def model_of(model_id: str | None, *, voice: str, offers: Iterable[Offer]) -> str | None:
    """The model to ask for, `None` for the platform's choice. One that nobody knows is left to be refused."""
    if model_id is None or model_id not in THEIR_MODELS:
        return model_id
    if not THEIR_MODELS[model_id]:
        return None
    known = list(offers)
    # A voice that no model brings along is one that was cloned.
    is_cloned = not any(voice in offer.voices for offer in known)
    for offer in known:
        speaks = CLONE in offer.features if is_cloned else voice in offer.voices
        if speaks and len(offer.languages) > 1:
            return offer.model
    return None


def model_body(offer: Offer, *, characters_per_request: int) -> dict[str, Any]:
    """As `GET /v1/models` lists it."""
    return {
        "model_id": offer.model,
        "name": offer.model.replace("-", " ").replace("_", " ").title(),
        "description": f"Spoken by the engine {offer.engine}.",
        "can_be_finetuned": False,
        "can_do_text_to_speech": True,
        "can_do_voice_conversion": False,
        "can_use_style": CLONE in offer.features,
        "can_use_speaker_boost": False,
        "serves_pro_voices": False,
        "requires_alpha_access": False,
        "token_cost_factor": 1.0,
        "model_rates": {"character_cost_multiplier": 1.0},
        "concurrency_group": "standard",
        "languages": [{"language_id": tag, "name": _language_name(tag)} for tag in offer.languages],
        "max_characters_request_free_user": characters_per_request,
        "max_characters_request_subscribed_user": characters_per_request,
        "maximum_text_length_per_request": characters_per_request,
    }


def _language_name(tag: str) -> str:
    return _NAMES.get(tag, tag)
