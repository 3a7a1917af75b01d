"""The models that an organization can name: ours, and OpenAI's names for whichever is the platform's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from apps.deployments.catalogue import Offer

MODELS: Final = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
# tts-1-1106, gpt-4o-mini-tts-2025-12-15
_ALIAS: Final = re.compile(rf"(?:{'|'.join(map(re.escape, MODELS))})(?:-\d{{4}}(?:-\d\d-\d\d)?)?")
PLATFORM: Final = "voiceflow"
ORGANIZATION: Final = "organization"


def is_alias(model: str) -> bool:
    """Whether it is one of OpenAI's names, also with a date."""
    return _ALIAS.fullmatch(model) is not None


def models(offers: Iterable[Offer]) -> list[dict[str, Any]]:
    """As `GET /v1/models` lists them; OpenAI's names are there once anything of ours is."""
    ours = {offer.model: offer for offer in offers}
    found = [
        _model(name, offer.created_at, PLATFORM if offer.is_shared else ORGANIZATION)
        for name, offer in ours.items()
    ]
    if found:
        since = min(offer.created_at for offer in ours.values())
        found += [_model(name, since, PLATFORM) for name in MODELS]
    return found


def find(offers: Iterable[Offer], name: str) -> dict[str, Any] | None:
    """The model of that name; a dated name of OpenAI's is one too."""
    found = {model["id"]: model for model in models(offers)}
    if is_alias(name) and MODELS[0] in found:
        return found[MODELS[0]] | {"id": name}
    return found.get(name)


def _model(name: str, created_at: datetime, owned_by: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": int(created_at.timestamp()),
        "owned_by": owned_by,
    }
