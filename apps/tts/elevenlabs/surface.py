"""ElevenLabs as a surface: where its key is, what its refusals and every answer of it look like."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from apps.core.errors import AppError, Unauthenticated
from apps.deployments.catalogue import Offer
from apps.keys.identity import HEADER
from apps.tts.calls import Answer, Call
from apps.tts.elevenlabs import errors
from apps.tts.endpoints import Endpoint
from apps.tts.meaning import reach_of
from apps.tts.runtime import Runtime
from apps.tts.surfaces import Surface
from apps.usage.admission import Caller
from apps.usage.models import UsageRecord

KEY_HEADER: Final = "xi-api-key"
REQUEST_ID_HEADER: Final = "request-id"


class ElevenLabs(Surface):
    name = UsageRecord.Surface.ELEVENLABS.value

    def key_of(self, call: Call) -> str | None:
        return call.headers.get(KEY_HEADER) or call.headers.get(HEADER.lower())

    def refusal(self, error: AppError, request_id: str) -> Answer:
        return errors.answer_of(error, request_id)

    def finish(self, answer: Answer, call: Call) -> None:
        answer.headers[REQUEST_ID_HEADER] = call.request_id


ELEVENLABS: Final = ElevenLabs()


def no_key() -> Unauthenticated:
    return Unauthenticated(f"Send your API key in the {KEY_HEADER} header.", code="missing_api_key")


class ElevenLabsEndpoint(Endpoint):
    surface = ELEVENLABS

    async def identify(self, call: Call, runtime: Runtime) -> Caller:
        if not self.surface.key_of(call):
            raise no_key()
        return await super().identify(call, runtime)

    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        return await self.answer_to(await self.identify(call, runtime), call, runtime)

    @abstractmethod
    async def answer_to(self, caller: Caller, call: Call, runtime: Runtime) -> Answer:
        """The answer to somebody whose key is good. Raises an `AppError`."""


def offers_for(caller: Caller, runtime: Runtime) -> list[Offer]:
    """The models that the caller can name."""
    return runtime.router.offers(**reach_of(caller))
