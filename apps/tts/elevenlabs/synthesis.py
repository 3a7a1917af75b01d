"""Text in, audio out: `convert`, which answers whole, and `stream`, as it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from apps.tts.answers import answer_with
from apps.tts.calls import Answer, Call
from apps.tts.elevenlabs.body import TextToSpeech, checked
from apps.tts.elevenlabs.errors import standing_headers
from apps.tts.elevenlabs.surface import ElevenLabsEndpoint, offers_for
from apps.tts.runtime import Runtime
from apps.tts.speech import Speech, speak
from apps.usage.admission import Caller


class SpeakingEndpoint(ElevenLabsEndpoint):
    word_times: ClassVar[bool] = False

    async def speech_of(self, caller: Caller, call: Call, runtime: Runtime) -> tuple[TextToSpeech, Speech]:
        """What is asked for, and the answer begun. Raises an `AppError` for every refusal."""
        asked = checked(call, offers_for(caller, runtime), word_times=self.word_times)
        source = replace(self.source_of(call), keep=asked.keep)
        return asked, await speak(runtime, caller, asked.body, source)


class ConvertEndpoint(SpeakingEndpoint):
    streams: ClassVar[bool] = False

    async def answer_to(self, caller: Caller, call: Call, runtime: Runtime) -> Answer:
        asked, speech = await self.speech_of(caller, call, runtime)
        answer = await answer_with(
            speech, media_type=speech.encoding.media_type, headers={}, stream=self.streams
        )
        answer.headers |= headers_of(speech, asked)
        return answer


class StreamEndpoint(ConvertEndpoint):
    streams = True


def headers_of(speech: Speech, asked: TextToSpeech) -> dict[str, str]:
    """`character-cost` is what it costs once it is whole, whatever an earlier attempt is credited with."""
    headers = speech.headers | standing_headers(speech.admitted.standing)
    headers["character-cost"] = str(cost_of(speech))
    if asked.ignored:
        headers["X-Ignored-Parameters"] = ", ".join(asked.ignored)
    return headers


def cost_of(speech: Speech) -> int:
    """In characters; what a test key asks for costs nothing."""
    return 0 if speech.admitted.identity.mode == "test" else len(speech.body.text)


CONVERT: Final = ConvertEndpoint()
STREAM: Final = StreamEndpoint()
