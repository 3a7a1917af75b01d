"""A job's events as an HTTP answer: whole, bare as made, or framed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from gpu_worker.asgi import Send
from gpu_worker.audio import MEDIA_TYPES, WAV_HEADER_BYTES, duration_ms, wav_header
from gpu_worker.errors import WorkerError
from gpu_worker.jobs import Event, Job, Pcm, PieceSpoken, Spoken
from gpu_worker.protocol import (
    PROTOCOL,
    REQUEST_ID_HEADER,
    STREAM_MEDIA_TYPE,
    Audio,
    End,
    ErrorCode,
    Mark,
    Start,
)
from gpu_worker.service import cannot_speak

SEND_STALL_SECONDS: Final = 5.0
# 170 ms at 24 kHz: small enough to be played as they come over a slow line.
_FRAME_BYTES: Final = 8192
_MAX_SEND_BYTES: Final = 65_536


@dataclass(slots=True, kw_only=True)
class Answer:
    """How an answer is to be made, and what became of it so far. `pcm_bytes` counts audio without headers."""

    request_id: str
    engine: str
    model: str
    voice: str
    format: str
    sample_rate: int
    characters: int
    pcm_bytes: int = 0
    first_audio_at: float | None = None
    has_begun: bool = False

    @property
    def audio_ms(self) -> int:
        """Audio made so far."""
        return duration_ms(self.pcm_bytes, self.sample_rate)


class Sender:
    """ASGI's `send` with the worker's rules: a reader that takes nothing for 5 s is given up."""

    def __init__(self, send: Send, answer: Answer) -> None:
        self._send = send
        self._answer = answer

    async def begin(self, content_type: str, *, headers: dict[str, int] | None = None) -> None:
        """Sends status 200."""
        lines = {"content-type": content_type, REQUEST_ID_HEADER.lower(): self._answer.request_id}
        lines["cache-control"] = "no-store"
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

    async def _within_time(self, message: MutableMapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(SEND_STALL_SECONDS):
                await self._send(message)
        except TimeoutError as error:
            raise WorkerError(ErrorCode.SEND_STALLED, "The caller stopped reading.") from error


async def answer_whole(job: Job, answer: Answer, send: Send) -> None:
    """The whole audio with its exact length. Raises WorkerError; nothing was sent then but for a stall."""
    chunks = [b""]
    while not isinstance(event := await job.next_event(), Spoken):
        if isinstance(event, Pcm):
            _count(event, answer)
            chunks.append(event.data)
    if not answer.pcm_bytes:
        raise cannot_speak()
    if answer.format == "wav":
        chunks[0] = wav_header(answer.sample_rate, answer.pcm_bytes)
    sender = Sender(send, answer)
    header_bytes = WAV_HEADER_BYTES if answer.format == "wav" else 0
    headers = {
        "content-length": answer.pcm_bytes + header_bytes,
        "x-audio-ms": answer.audio_ms,
        "x-gpu-ms": job.engine_ms,
        "x-queue-ms": job.queue_ms,
    }
    await sender.begin(_content_type(answer), headers=headers)
    await sender.body(b"".join(chunks), last=True)


async def answer_streamed(job: Job, answer: Answer, send: Send) -> None:
    """Bare audio as it is made. Raises WorkerError; whoever called it must then cut a begun answer."""
    sender = Sender(send, answer)
    while not isinstance(event := await job.next_event(), Spoken):
        if not isinstance(event, Pcm):
            continue
        data = event.data
        if not answer.pcm_bytes:
            await sender.begin(_content_type(answer))
            data = _opening(answer) + data
        _count(event, answer)
        await sender.body(data)
    if not answer.pcm_bytes:
        raise cannot_speak()
    await sender.body(b"", last=True)


async def answer_framed(job: Job, answer: Answer, send: Send) -> None:
    """The framed stream. Before the first audio it raises WorkerError; later it tells it as a message."""
    sender = Sender(send, answer)
    held = [_start(answer).pack()]
    try:
        event = await job.next_event()
        while not isinstance(event, Spoken):
            held += _frames(event, answer)
            following = job.ready_event()
            # What is there already goes out in one write.
            if following is None:
                if answer.pcm_bytes:
                    await _send_frames(held, answer, sender)
                following = await job.next_event()
            event = following
        if not answer.pcm_bytes:
            raise cannot_speak()
        held.append(_end(job, answer).pack())
        await _send_frames(held, answer, sender, last=True)
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


def _frames(event: Event, answer: Answer) -> list[bytes]:
    if isinstance(event, PieceSpoken):
        return [Mark(answer.audio_ms, event.piece.start, event.piece.stop).pack()]
    if not isinstance(event, Pcm):
        return []
    data = event.data if answer.pcm_bytes else _opening(answer) + event.data
    _count(event, answer)
    return [Audio(data[at : at + _FRAME_BYTES]).pack() for at in range(0, len(data), _FRAME_BYTES)]


def _count(event: Pcm, answer: Answer) -> None:
    if answer.first_audio_at is None:
        answer.first_audio_at = time.perf_counter()
    answer.pcm_bytes += len(event.data)


def _opening(answer: Answer) -> bytes:
    return wav_header(answer.sample_rate, None) if answer.format == "wav" else b""


def _content_type(answer: Answer) -> str:
    media_type = MEDIA_TYPES[answer.format]
    return f"{media_type};rate={answer.sample_rate};channels=1" if answer.format == "pcm" else media_type


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
        pieces_remade=0,
        queue_ms=job.queue_ms,
    )
