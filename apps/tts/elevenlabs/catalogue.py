"""`GET /v1/models`, and the paths below `/elevenlabs` that are nobody's."""

from __future__ import annotations

from typing import Final

from apps.core.errors import NotFound
from apps.deployments.catalogue import Offer
from apps.tts.calls import Answer, Call
from apps.tts.elevenlabs.model_names import model_body
from apps.tts.elevenlabs.surface import ELEVENLABS, ElevenLabsEndpoint, offers_for
from apps.tts.endpoints import Endpoint
from apps.tts.runtime import Runtime
from apps.usage.admission import Caller


class ModelsEndpoint(ElevenLabsEndpoint):
    """A bare array, from the router's table: no question to the database."""

    method = "GET"

    async def answer_to(self, caller: Caller, call: Call, runtime: Runtime) -> Answer:
        offers: dict[str, Offer] = {}
        for offer in offers_for(caller, runtime):
            offers.setdefault(offer.model, offer)
        limit = caller.limits.characters_per_request
        return Answer.of_json([model_body(offer, characters_per_request=limit) for offer in offers.values()])


class UnknownPath(Endpoint):
    surface = ELEVENLABS

    def require_method(self, method: str) -> None:
        """No method is right where nothing is."""

    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        raise NotFound(f"There is nothing at {call.path}; it may be a call that this platform does not have.")


MODELS: Final = ModelsEndpoint()
UNKNOWN: Final = UnknownPath()
