"""The platform's side of the wire: one attempt to have one worker speak one text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from apps.deployments.routing import Target
from gpu_worker.protocol import (
    REQUEST_ID_HEADER,
    STREAM_MEDIA_TYPE,
    Audio,
    End,
    Error,
    ErrorCode,
    FrameReader,
    MalformedFrameError,
    Message,
    SpeechRequest,
)

READ_BYTES = 64 * 1024
DEFAULT_RETRY_SECONDS = 1.0
_BUSY = frozenset({ErrorCode.QUEUE_FULL, ErrorCode.LOADING, ErrorCode.DRAINING})
FAULTS = frozenset({ErrorCode.ENGINE_FAILED, ErrorCode.INTERNAL, ErrorCode.INVALID_TOKEN})
GONE = (aiohttp.ClientError, OSError, TimeoutError, MalformedFrameError)


class Refused(Exception):
    """The worker answered with a refusal before any audio: its HTTP status, its word, its sentence.

    `retry_after_seconds` is when it may have room, by its own word where it has one.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        param: str | None = None,
        *,
        retry_after_seconds: float = DEFAULT_RETRY_SECONDS,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds

    @property
    def is_busy(self) -> bool:
        """Whether it has no room now, or is about to leave: nothing is wrong with it, nor with the text."""
        return self.status == 429 or self.code in _BUSY

    @property
    def is_fault(self) -> bool:
        """Whether the worker is to blame, and others had better be asked for a while."""
        return self.code in FAULTS or self.status in {401, 500, 502}


class Gone(Exception):
    """The worker cannot be reached, or broke off: the stream has no end.

    `is_fault` is false where it said why, and the reason is not in itself.
    """

    def __init__(self, reason: str, *, is_fault: bool = True) -> None:
        super().__init__(reason)
        self.is_fault = is_fault


class Upstream:
    """An answer being read. Leaving the context closes the connection, which cancels the work.

    The worker is at it until then. A `recording` is sent with the request, for a worker that lacks it.
    """

    needs_worker: Final = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: Target,
        request: SpeechRequest,
        *,
        recording: bytes | None = None,
    ) -> None:
        self._session = session
        self._target = target
        self._request = request
        self._recording = recording
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
                f"{self._target.url}/generate", headers=headers, **self._body()
            )
            if self._response.status == 200:
                return self
            refusal = _refusal(self._response, await self._response.content.read(READ_BYTES))
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

    def _body(self) -> dict[str, Any]:
        """JSON, or a form of the request and the recording, in this order."""
        if self._recording is None:
            return {"json": self._request.to_json()}
        form = aiohttp.FormData()
        request = json.dumps(self._request.to_json())
        form.add_field("request", request, filename="request.json", content_type="application/json")
        form.add_field("reference", self._recording, filename="reference.wav", content_type="audio/wav")
        return {"data": form}

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


def refusal_of(error: Error) -> Refused:
    """The same where it is told in a stream, before any audio."""
    known = error.code in {code.value for code in ErrorCode}
    status = ErrorCode(error.code).status if known else 503 if error.retryable else 422
    return Refused(status, error.code, error.message)


def retry_after_of(response: aiohttp.ClientResponse) -> float:
    stated = response.headers.get("Retry-After", "")
    return float(stated) if stated.isdecimal() else DEFAULT_RETRY_SECONDS


def _refusal(response: aiohttp.ClientResponse, body: bytes) -> Refused:
    detail: Any = {}
    try:
        detail = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        detail = {}
    if not isinstance(detail, dict):
        detail = {}
    return Refused(
        response.status,
        str(detail.get("code", "unknown")),
        str(detail.get("message", "")),
        detail.get("param"),
        retry_after_seconds=retry_after_of(response),
    )
