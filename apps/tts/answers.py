"""Speech as an answer: a whole file with exact sizes, or bytes as they are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from apps.tts import wav
from apps.tts.calls import Answer
from apps.tts.speech import Speech


async def answer_with(
    speech: Speech, *, media_type: str, headers: dict[str, str], stream: bool | None = None
) -> Answer:
    """Streams where `stream` says so, else as the body asked. Raises an `AppError` where no whole is made."""
    answer = Answer(headers={"Content-Type": media_type, **headers}, logs_itself=True, speech=speech)
    if speech.body.stream if stream is None else stream:
        answer.stream = streamed(speech)
        answer.drop = speech.close
    else:
        recording = await speech.whole()
        answer.body = opening(speech, data_bytes=len(recording.data)) + recording.data
    return answer


def opening(speech: Speech, *, data_bytes: int | None) -> bytes:
    """What goes before the worker's bytes: a WAV's header, whose sizes only we can know, else nothing."""
    if speech.encoding.format != "wav":
        return b""
    return wav.header(sample_rate=speech.sample_rate, data_bytes=data_bytes)


async def streamed(speech: Speech) -> AsyncGenerator[bytes]:
    """The bytes as they are made. Raises `StreamCut`."""
    head = opening(speech, data_bytes=None)
    async with aclosing(speech.audio()) as parts:
        async for data in parts:
            yield head + data if head else data
            head = b""
