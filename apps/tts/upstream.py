"""The platform's side of the wire: one attempt to have one worker speak one text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import aiohttp

from apps.deployments.routing import Target
from gpu_worker.protocol import (
    REQUEST_ID_HEADER,
    STREAM_MEDIA_TYPE,
    Audio,
    End,
    Error,
    FrameReader,
    MalformedFrameError,
    Message,
    SpeechRequest,
)

READ_BYTES = 64 * 1024
GONE = (aiohttp.ClientError, OSError, TimeoutError, MalformedFrameError)


class Refused(Exception):
    """The worker answered with a refusal before any audio: its HTTP status, its word, its sentence."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.param = param


class Gone(Exception):
    """The worker cannot be reached, or broke off: the stream has no end."""


class Upstream:
    """An answer being read. Leaving the context closes the connection, which cancels the work."""

    def __init__(self, session: aiohttp.ClientSession, target: Target, request: SpeechRequest) -> None:
        self._session = session
        self._target = target
        self._request = request
        self._response: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> Self:
        """Raises `Gone`, or `Refused` with what the worker said."""
        headers = {
            "Accept": STREAM_MEDIA_TYPE,
            REQUEST_ID_HEADER: self._request.request_id or "",
            **self._target.headers,
        }
        try:
            self._response = await self._session.post(
                f"{self._target.url}/generate", json=self._request.to_json(), headers=headers
            )
            if self._response.status == 200:
                return self
            refusal = _refusal(self._response.status, await self._response.content.read(READ_BYTES))
        except GONE as error:
            self.close()
            raise Gone(type(error).__name__) from error
        except asyncio.CancelledError:
            self.close()
            raise
        self.close()
        raise refusal

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._response is not None:
            self._response.close()

    async def messages(self) -> AsyncIterator[Message]:
        """Ends after `end` or `error`. Raises `Gone` where the stream stops without either."""
        assert self._response is not None  # noqa: S101 - entered
        reader = FrameReader()
        try:
            async for chunk in self._response.content.iter_any():
                for message in _joined(reader.feed(chunk)):
                    yield message
                    if isinstance(message, End | Error):
                        return
        except GONE as error:
            raise Gone(type(error).__name__) from error
        raise Gone("no end")


def _joined(messages: list[Message]) -> list[Message]:
    """Audio that came together goes on together: each message passes through every layer to the client."""
    joined: list[Message] = []
    run: list[bytes] = []
    for message in messages:
        if isinstance(message, Audio):
            run.append(message.data)
            continue
        if run:
            joined.append(Audio(b"".join(run)))
            run = []
        joined.append(message)
    return [*joined, Audio(b"".join(run))] if run else joined


def _refusal(status: int, body: bytes) -> Refused:
    detail: Any = {}
    try:
        detail = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        detail = {}
    if not isinstance(detail, dict):
        detail = {}
    return Refused(
        status, str(detail.get("code", "unknown")), str(detail.get("message", "")), detail.get("param")
    )
