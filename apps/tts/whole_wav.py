"""The older image's answers, told as messages of today's wire: a whole WAV, without marks."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from dataclasses import fields
from types import TracebackType
from typing import Final, Self

import aiohttp

from apps.deployments.routing import Target
from apps.tts.upstream import GONE, READ_BYTES, Gone, Refused, retry_after_of
from gpu_worker.protocol import PROTOCOL, Audio, End, ErrorCode, Message, SpeechRequest, Start

# It says nothing until all of it is made.
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


class WholeWav:
    """One answer. Entering it waits for all of the audio, and then the worker is done with it."""

    needs_worker: Final = False

    def __init__(self, session: aiohttp.ClientSession, target: Target, request: SpeechRequest) -> None:
        self._session = session
        self._target = target
        self._request = request
        self._pcm = b""
        self._sample_rate = 0

    async def __aenter__(self) -> Self:
        """Raises `Gone`, or `Refused` for what this image lacks and for what it said."""
        for name in _LACKED:
            if getattr(self._request, name) not in (None, _DEFAULTS[name]):
                raise _lacks(name, "speaks at speed 1 only" if name == "speed" else f"takes no {name}")
        if self._request.format != "pcm":
            raise _lacks("format", "makes wav and pcm only")
        self._sample_rate, self._pcm = await self._ask()
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
                    raise _refusal(response)
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


def _refusal(response: aiohttp.ClientResponse) -> Refused:
    """Its own words are left out: they are FastAPI's, about fields that our caller never sent."""
    if response.status in (400, 413, 422):
        return Refused(422, ErrorCode.CANNOT_SPEAK, "The worker cannot speak this text.", "text")
    code = ErrorCode.LOADING if response.status == 503 else "unknown"
    return Refused(response.status, code, "", retry_after_seconds=retry_after_of(response))
