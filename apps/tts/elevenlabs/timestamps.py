"""Speech with the times of its characters: whole as one JSON object, or an object a line as it is made.

`alignment` is of the caller's text, character by character; `normalized_alignment` of what was said in its
place, with numbers and the like written out. Times count from the beginning of the audio, in a stream too, so
that its lines can be joined. `alignment_source` says what they stand on: `engine`, which told when each word
ends, or `estimated` from the ends of pieces (`apps.tts.elevenlabs.alignment`).

A line of a stream holds the audio since the line before, and the alignment of what came to be known with it,
null where that is nothing. The last line may hold no audio.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from apps.tts.answers import opening
from apps.tts.calls import Answer, Call
from apps.tts.elevenlabs.alignment import Aligner, Alignment
from apps.tts.elevenlabs.pacing import pacing_of
from apps.tts.elevenlabs.synthesis import SpeakingEndpoint, headers_of
from apps.tts.runtime import Runtime
from apps.tts.speech import Speech
from apps.usage.admission import Caller
from gpu_worker.protocol import PROTOCOL, Audio, Mark

ENGLISH: Final = "en"
LINES: Final = "application/x-ndjson"


class ConvertWithTimestampsEndpoint(SpeakingEndpoint):
    word_times = True

    async def answer_to(self, caller: Caller, call: Call, runtime: Runtime) -> Answer:
        asked, speech = await self.speech_of(caller, call, runtime)
        recording = await speech.whole()
        timed = await Timed.of(speech)
        for mark in recording.marks:
            timed.aligner.mark(source_to=mark.source_to, audio_ms=mark.audio_ms)
        timed.aligner.finish(speech.outcome.audio_ms)
        data = opening(speech, data_bytes=len(recording.data)) + recording.data
        body = await asyncio.to_thread(timed.body, data)
        answer = Answer.of_json(body, headers=headers_of(speech, asked) | timed.headers)
        answer.logs_itself, answer.speech = True, speech
        return answer


class StreamWithTimestampsEndpoint(SpeakingEndpoint):
    word_times = True

    async def answer_to(self, caller: Caller, call: Call, runtime: Runtime) -> Answer:
        asked, speech = await self.speech_of(caller, call, runtime)
        try:
            timed = await Timed.of(speech)
        except BaseException:
            speech.close()
            raise
        return Answer(
            headers={"Content-Type": LINES} | headers_of(speech, asked) | timed.headers,
            stream=lines(speech, timed),
            drop=speech.close,
            logs_itself=True,
            speech=speech,
        )


class Timed:
    """What is told of one speech: the audio and the alignment since it was told last."""

    def __init__(self, aligner: Aligner, *, source: str, tells_said: bool) -> None:
        self.aligner = aligner
        self.source = source
        self._tells_said = tells_said
        self._written = 0
        self._said = 0

    @classmethod
    async def of(cls, speech: Speech) -> Timed:
        """Of a speech whose worker has begun."""
        body, worker = speech.body, speech.attempts.target
        assert worker is not None  # noqa: S101 - it has begun
        pacing = await asyncio.to_thread(
            pacing_of,
            body.text,
            normalize=body.normalize,
            language=body.language or next(iter(worker.languages), ENGLISH),
            performs_tags="tags" in worker.features,
        )
        word_times = speech.attempts.has_word_times
        return cls(
            Aligner(body.text, pacing, speed=body.speed, word_times=word_times),
            source="engine" if word_times else "estimated",
            # The older image prepares texts in ways of its own.
            tells_said=worker.protocol == PROTOCOL,
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Alignment": self.source}

    @property
    def has_news(self) -> bool:
        return len(self.aligner.written.characters) > self._written

    def body(self, data: bytes) -> dict[str, Any]:
        written = self.aligner.written.since(self._written)
        said = self.aligner.said.since(self._said)
        self._written += len(written.characters)
        self._said += len(said.characters)
        return {
            "audio_base64": base64.b64encode(data).decode(),
            "alignment": _told(written),
            "normalized_alignment": _told(said) if self._tells_said else None,
            "alignment_source": self.source,
        }

    def line(self, data: bytes) -> bytes:
        return json.dumps(self.body(data), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


async def lines(speech: Speech, timed: Timed) -> AsyncGenerator[bytes]:
    """Audio waits for the mark that closes it, or for the next audio. Raises `StreamCut`."""
    held = opening(speech, data_bytes=None)
    has_audio = False
    async with aclosing(speech.messages()) as messages:
        async for message in messages:
            match message:
                case Audio() if has_audio:
                    yield timed.line(held)
                    held = message.data
                case Audio():
                    held, has_audio = held + message.data, True
                case Mark():
                    timed.aligner.mark(source_to=message.source_to, audio_ms=message.audio_ms)
                    if has_audio:
                        yield timed.line(held)
                        held, has_audio = b"", False
    timed.aligner.finish(speech.outcome.audio_ms)
    if has_audio or timed.has_news:
        yield timed.line(held)


def _told(alignment: Alignment) -> dict[str, Any] | None:
    return alignment.body() if alignment.characters else None


CONVERT_WITH_TIMESTAMPS: Final = ConvertWithTimestampsEndpoint()
STREAM_WITH_TIMESTAMPS: Final = StreamWithTimestampsEndpoint()
