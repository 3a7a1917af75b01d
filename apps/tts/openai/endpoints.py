"""OpenAI's operations, and the paths below `/v1` that are none."""

from __future__ import annotations

from typing import ClassVar

from apps.core.errors import MethodNotAllowed, NotFound, Unauthenticated
from apps.tts.answers import streamed
from apps.tts.calls import Answer, Call
from apps.tts.endpoints import Endpoint
from apps.tts.meaning import reach_of
from apps.tts.openai import catalogue, events, voices
from apps.tts.openai.body import MEDIA_TYPES, Checked, checked
from apps.tts.openai.surface import OPENAI, standing_headers
from apps.tts.request import SpeechBody
from apps.tts.runtime import Runtime
from apps.tts.speech import Speech, speak
from apps.usage.admission import Caller


class OpenAIEndpoint(Endpoint):
    surface = OPENAI

    async def identify(self, call: Call, runtime: Runtime) -> Caller:
        if not self.surface.key_of(call):
            raise Unauthenticated(
                "You didn't provide an API key. Send it as Authorization: Bearer KEY.",
                code="missing_api_key",
            )
        return await super().identify(call, runtime)

    def require_method(self, method: str) -> None:
        try:
            super().require_method(method)
        except MethodNotAllowed as error:
            raise MethodNotAllowed(
                f"Not allowed to {method} here. Try {error.headers['Allow']}.", headers=error.headers
            ) from None


class SpeechEndpoint(OpenAIEndpoint):
    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        caller = await self.identify(call, runtime)
        asked = checked(call.json())
        try:
            speech = await speak(runtime, caller, asked.body, self.source_of(call))
        except NotFound as error:
            if error.code == "voice_not_found" and asked.body.voice in voices.VOICES:
                raise _voice_not_there(runtime, caller, asked.body) from error
            raise
        return _answer(speech, asked)


class ModelsEndpoint(OpenAIEndpoint):
    """What is in the router's table, without a question to the database."""

    method = "GET"
    scope: ClassVar[str | None] = None

    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        caller = await self.identify(call, runtime)
        return Answer.of_json(
            {"object": "list", "data": catalogue.models(runtime.router.offers(**reach_of(caller)))}
        )


class ModelEndpoint(OpenAIEndpoint):
    method = "GET"
    scope: ClassVar[str | None] = None

    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        caller = await self.identify(call, runtime)
        name = call.params["model"]
        found = catalogue.find(runtime.router.offers(**reach_of(caller)), name)
        if found is None:
            raise NotFound(f"There is no model {name!r}.", code="model_not_found", param="model")
        return Answer.of_json(found)


class UnknownPath(OpenAIEndpoint):
    method = "GET"

    def require_method(self, method: str) -> None:
        """No method is right where nothing is."""

    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        raise NotFound(
            f"Unknown request URL: {call.method} {call.path}. Check it for typos; there are "
            "/v1/audio/speech, /v1/models and /v1/models/{id}.",
            code="unknown_url",
        )


def _answer(speech: Speech, asked: Checked) -> Answer:
    """Always as it is made: OpenAI has no other way."""
    media_type = events.MEDIA_TYPE if asked.as_events else MEDIA_TYPES[asked.body.format]
    headers = speech.headers | standing_headers(speech.admitted.standing) | {"Content-Type": media_type}
    stream = events.events(speech) if asked.as_events else streamed(speech)
    return Answer(headers=headers, stream=stream, drop=speech.close, logs_itself=True, speech=speech)


def _voice_not_there(runtime: Runtime, caller: Caller, body: SpeechBody) -> NotFound:
    offers = runtime.router.offers(**reach_of(caller))
    there = [voice for offer in offers if body.model in (None, offer.model) for voice in offer.voices]
    return voices.not_there(str(body.voice), there=there)


SPEECH = SpeechEndpoint()
MODELS = ModelsEndpoint()
MODEL = ModelEndpoint()
UNKNOWN = UnknownPath()
