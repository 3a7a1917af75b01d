"""A job's events as an HTTP answer: whole, bare as made, or framed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from gpu_worker.asgi import Send
from gpu_worker.errors import WorkerError
from gpu_worker.jobs import Job
from gpu_worker.ordering import Order, cannot_speak
from gpu_worker.production import Producer, WholeProducer
from gpu_worker.protocol import (
    PROTOCOL,
    REQUEST_ID_HEADER,
    STREAM_MEDIA_TYPE,
    Audio,
    End,
    ErrorCode,
    Start,
)

SEND_STALL_SECONDS: Final = 5.0
# 170 ms at 24 kHz: small enough to be played as they come over a slow line.
_FRAME_BYTES: Final = 8192
_MAX_SEND_BYTES: Final = 65_536


@dataclass(slots=True, kw_only=True)
class Answer:
    """How an answer is to be made, and what became of it so far."""

    request_id: str
    engine: str
    model: str
    voice: str
    media_type: str
    format: str
    sample_rate: int
    characters: int
    audio_ms: int = 0
    first_audio_at: float | None = None
    has_begun: bool = False

    @classmethod
    def of(cls, order: Order, request_id: str, engine: str) -> Answer:
        """Nothing is made of it yet."""
        return cls(
            request_id=request_id,
            engine=engine,
            model=order.model,
            voice=order.voice,
            media_type=order.encoding.media_type,
            format=order.encoding.format,
            sample_rate=order.encoding.sample_rate,
            characters=len(order.request.text),
        )


class Sender:
    """ASGI's `send` with the worker's rules: a reader that takes nothing for 5 s is given up."""

    def __init__(self, send: Send, answer: Answer) -> None:
        self._send = send
        self._answer = answer

    async def begin(self, content_type: str, *, headers: dict[str, int] | None = None) -> None:
        """Sends status 200."""
        lines = {
            "content-type": content_type,
            "cache-control": "no-store",
            REQUEST_ID_HEADER.lower(): self._answer.request_id,
            "x-sample-rate": str(self._answer.sample_rate),
        }
        lines.update({name: str(value) for name, value in (headers or {}).items()})
        self._answer.has_begun = True
        await self._within_time(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(name.encode(), value.encode()) for name, value in lines.items()],
            }
        )

    async def body(self, data: bytes, *, last: bool = False) -> None:
        """Sends data in portions that a slow but steady reader takes in time."""
        for start in range(0, max(1, len(data)), _MAX_SEND_BYTES):
            stop = start + _MAX_SEND_BYTES
            more = not last or stop < len(data)
            await self._within_time(
                {"type": "http.response.body", "body": data[start:stop], "more_body": more}
            )

    async def parts(self, parts: list[bytes]) -> None:
        """Sends them as the whole body, small ones together, and lets go of each."""
        parts.reverse()
        held = bytearray()
        while parts:
            held += parts.pop()
            if len(held) >= _MAX_SEND_BYTES and parts:
                await self.body(bytes(held))
                held.clear()
        await self.body(bytes(held), last=True)

    async def _within_time(self, message: MutableMapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(SEND_STALL_SECONDS):
                await self._send(message)
        except TimeoutError as error:
            raise WorkerError(ErrorCode.SEND_STALLED, "The caller stopped reading.") from error


async def answer_whole(job: Job, answer: Answer, producer: WholeProducer, send: Send) -> None:
    """The whole audio with its exact length. Raises WorkerError; nothing was sent then but for a stall."""
    while not await producer.next():
        _count(answer, producer)
    _count(answer, producer)
    if not producer.has_speech:
        raise cannot_speak()
    parts = producer.finish()
    sender = Sender(send, answer)
    headers = {
        "content-length": sum(len(part) for part in parts),
        "x-audio-ms": answer.audio_ms,
        "x-gpu-ms": job.engine_ms,
        "x-queue-ms": job.queue_ms,
        "x-pieces": len(job.pieces),
        "x-pieces-remade": job.remade.total(),
    }
    await sender.begin(answer.media_type, headers=headers)
    await sender.parts(parts)


async def answer_streamed(job: Job, answer: Answer, producer: Producer, send: Send) -> None:
    """Bare audio as it is made. Raises WorkerError; whoever called it must then cut a begun answer."""
    sender = Sender(send, answer)
    held = b""
    is_last = False
    while not is_last:
        produced = await producer.next()
        _count(answer, producer)
        held += produced.data
        is_last = produced.is_last
        if is_last and not producer.has_speech:
            raise cannot_speak()
        # What comes before the first speech waits for it, so that a failure can still be a status.
        if is_last or (held and producer.has_speech):
            if not answer.has_begun:
                await sender.begin(answer.media_type, headers={"x-queue-ms": job.queue_ms})
            await sender.body(held, last=is_last)
            held = b""


async def answer_framed(job: Job, answer: Answer, producer: Producer, send: Send) -> None:
    """The framed stream. Before the first audio it raises WorkerError; later it tells it as a message."""
    sender = Sender(send, answer)
    held = [_start(answer).pack()]
    has_audio = is_last = False
    try:
        while not is_last:
            produced = await producer.next()
            _count(answer, producer)
            held += _frames(produced.data)
            held += [mark.pack() for mark in produced.marks]
            has_audio = has_audio or bool(produced.data)
            is_last = produced.is_last
            if is_last and not producer.has_speech:
                raise cannot_speak()
            if is_last:
                held.append(_end(job, answer).pack())
            if is_last or (has_audio and producer.has_speech):
                await _send_frames(held, answer, sender, last=is_last)
    except WorkerError as error:
        if not answer.has_begun or error.code is ErrorCode.SEND_STALLED:
            raise
        held.append(error.to_message().pack())
        await _send_frames(held, answer, sender, last=True)
        raise


async def _send_frames(held: list[bytes], answer: Answer, sender: Sender, *, last: bool = False) -> None:
    if not answer.has_begun:
        await sender.begin(STREAM_MEDIA_TYPE)
    data = b"".join(held)
    held.clear()
    await sender.body(data, last=last)


def _frames(data: bytes) -> list[bytes]:
    return [Audio(data[at : at + _FRAME_BYTES]).pack() for at in range(0, len(data), _FRAME_BYTES)]


def _count(answer: Answer, producer: Producer | WholeProducer) -> None:
    answer.audio_ms = producer.audio_ms
    if answer.first_audio_at is None and producer.has_speech:
        answer.first_audio_at = time.perf_counter()


def _start(answer: Answer) -> Start:
    return Start(
        protocol=PROTOCOL,
        request_id=answer.request_id,
        engine=answer.engine,
        model=answer.model,
        voice=answer.voice,
        format=answer.format,
        sample_rate=answer.sample_rate,
    )


def _end(job: Job, answer: Answer) -> End:
    return End(
        audio_ms=answer.audio_ms,
        characters=answer.characters,
        gpu_ms=job.engine_ms,
        pieces=len(job.pieces),
        pieces_remade=job.remade.total(),
        queue_ms=job.queue_ms,
    )
