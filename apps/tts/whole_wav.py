"""The older image's answers, told as messages of today's wire: a whole WAV, without marks."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from dataclasses import fields
from types import TracebackType
from typing import Final, Self
from uuid import UUID
from weakref import WeakValueDictionary

import aiohttp

from apps.deployments.routing import Target
from apps.tts.upstream import GONE, READ_BYTES, Gone, Refused
from gpu_worker.protocol import PROTOCOL, Audio, End, ErrorCode, Message, SpeechRequest, Start

# It takes one request at a time and says nothing until all of it is made.
TURN_SECONDS: Final = 60.0
ANSWER_SECONDS: Final = 300.0
MAX_WAV_BYTES: Final = 64 * 1024 * 1024
_AUDIO_BYTES: Final = 64 * 1024
_LACKED: Final = (
    "language",
    "speed",
    "seed",
    "exaggeration",
    "cfg_weight",
    "temperature",
    "top_p",
    "min_p",
    "repetition_penalty",
    "sample_rate",
)
_DEFAULTS: Final = {field.name: field.default for field in fields(SpeechRequest)}


class Turns:
    """One lock for each worker that takes one request at a time; of one event loop."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    def of(self, target: Target) -> asyncio.Lock:
        lock = self._locks.get(target.worker_id)
        if lock is None:
            lock = self._locks[target.worker_id] = asyncio.Lock()
        return lock


class WholeWav:
    """One answer. Entering it waits for the worker's turn and for all of the audio."""

    def __init__(
        self, session: aiohttp.ClientSession, target: Target, request: SpeechRequest, turns: Turns
    ) -> None:
        self._session = session
        self._target = target
        self._request = request
        self._turn = turns.of(target)
        self._pcm = b""
        self._sample_rate = 0

    async def __aenter__(self) -> Self:
        """Raises `Gone`, or `Refused` for what this image lacks and for what it said."""
        for name in _LACKED:
            if getattr(self._request, name) not in (None, _DEFAULTS[name]):
                raise _lacks(name, "speaks at speed 1 only" if name == "speed" else f"takes no {name}")
        if self._request.format != "pcm":
            raise _lacks("format", "makes wav and pcm only")
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turn.acquire()
        except TimeoutError as error:
            raise Refused(503, ErrorCode.QUEUE_FULL, "This worker is still busy with others.") from error
        try:
            self._sample_rate, self._pcm = await self._ask()
        finally:
            self._turn.release()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pcm = b""

    async def messages(self) -> AsyncIterator[Message]:
        """`start`, the audio, `end`."""
        request = self._request
        yield Start(
            protocol=PROTOCOL,
            request_id=request.request_id or "",
            engine=self._target.engine,
            model=request.model or self._target.models[0],
            voice=request.voice or "",
            format="pcm",
            sample_rate=self._sample_rate,
        )
        for at in range(0, len(self._pcm), _AUDIO_BYTES):
            yield Audio(self._pcm[at : at + _AUDIO_BYTES])
        yield End(
            audio_ms=len(self._pcm) * 1000 // (2 * self._sample_rate),
            characters=len(request.text),
            gpu_ms=0,
            pieces=1,
            pieces_remade=0,
            queue_ms=0,
        )

    async def _ask(self) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=2.0)
        try:
            async with self._session.post(
                f"{self._target.url}/generate",
                json={"text": self._request.text},
                headers=self._target.headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise _refusal(response.status)
                return _decoded(await _read(response))
        except GONE as error:
            raise Gone(type(error).__name__) from error


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while chunk := await response.content.read(READ_BYTES):
        body += chunk
        if len(body) > MAX_WAV_BYTES:
            raise Gone("its answer is too long")
    return bytes(body)


def _decoded(body: bytes) -> tuple[int, bytes]:
    """Sample rate in Hz and s16le samples."""
    try:
        with wave.open(io.BytesIO(body)) as audio:
            if audio.getnchannels() != 1 or audio.getsampwidth() != 2 or audio.getframerate() < 1:
                raise Gone("its answer is not 16-bit mono audio")
            declared, pcm = audio.getnframes(), audio.readframes(audio.getnframes())
            rate = audio.getframerate()
    except (wave.Error, EOFError) as error:
        raise Gone("its answer is not a WAV file") from error
    if not pcm or len(pcm) != 2 * declared:
        raise Gone("its answer is cut short")
    return rate, pcm


def _lacks(param: str, what: str) -> Refused:
    return Refused(400, ErrorCode.INVALID, f"{param}: the deployment that has this voice {what}.", param)


def _refusal(status: int) -> Refused:
    """Its own words are left out: they are FastAPI's, about fields that our caller never sent."""
    if status in (400, 413, 422):
        return Refused(422, ErrorCode.CANNOT_SPEAK, "The worker cannot speak this text.", "text")
    return Refused(status, "unknown", "")
