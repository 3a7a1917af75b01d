"""The wire between the platform and its speech workers.

Standard library and msgpack only: the platform imports this module, the worker is built on it. Fields with
their bounds and the formats that can be made are part of it.

A framed answer is a sequence of MessagePack maps with a `type`: one `start`, then `audio` and `mark`,
and last either `end` or `error`. A stream without `end` is cut, whatever HTTP says. All offsets into a
text count Unicode code points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal, Self, TypedDict

import msgpack

from gpu_worker.consent import (
    MAX_CONSENT_AGE_SECONDS,
    MIN_CONSENT_SECRET_CHARACTERS,
    SHA256_PATTERN,
    InvalidConsentError,
    sign_consent,
    verify_consent,
)
from gpu_worker.formats import MEDIA_TYPES, RATES, Encoding, EncodingError
from gpu_worker.request import (
    CHOICES,
    INTEGER_BOUNDS,
    MAX_NAME_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    NUMBER_BOUNDS,
    REQUEST_ID_PATTERN,
    Format,
    InvalidRequestError,
    SpeechRequest,
)

__all__ = [
    "API_KEY_HEADER",
    "CHATTERBOX_ENGINES",
    "CHOICES",
    "INTEGER_BOUNDS",
    "MAX_CONSENT_AGE_SECONDS",
    "MAX_FRAME_BYTES",
    "MAX_NAME_CHARACTERS",
    "MAX_REQUEST_BYTES",
    "MAX_TEXT_CHARACTERS",
    "MEDIA_TYPES",
    "MIN_CONSENT_SECRET_CHARACTERS",
    "NUMBER_BOUNDS",
    "PROTOCOL",
    "RATES",
    "REQUEST_ID_HEADER",
    "REQUEST_ID_PATTERN",
    "SHA256_PATTERN",
    "STREAM_MEDIA_TYPE",
    "TENANT_HEADER",
    "TOKEN_HEADER",
    "Audio",
    "Encoding",
    "EncodingError",
    "End",
    "Error",
    "ErrorCode",
    "Format",
    "FrameReader",
    "InvalidConsentError",
    "InvalidRequestError",
    "MalformedFrameError",
    "Mark",
    "Message",
    "QueueState",
    "Readiness",
    "SpeechRequest",
    "Start",
    "sign_consent",
    "verify_consent",
]

PROTOCOL: Final = 1
CHATTERBOX_ENGINES: Final = ("chatterbox", "chatterbox-turbo", "chatterbox-multilingual")
STREAM_MEDIA_TYPE: Final = "application/vnd.voiceflow.stream"
TENANT_HEADER: Final = "X-Tenant"
TOKEN_HEADER: Final = "X-Worker-Token"  # noqa: S105 - the header's name
API_KEY_HEADER: Final = "X-API-Key"
REQUEST_ID_HEADER: Final = "X-Request-Id"
MAX_REQUEST_BYTES: Final = 256_000
MAX_FRAME_BYTES: Final = 1 << 20
_FEED_BYTES: Final = 16_384
_MAX_FIELDS: Final = 64


class ErrorCode(StrEnum):
    """What went wrong, in the word that both `error` messages and JSON refusals carry."""

    INVALID = "invalid"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - a code
    CONSENT_REQUIRED = "consent_required"
    CONSENT_INVALID = "consent_invalid"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    VOICE_NOT_FOUND = "voice_not_found"
    MODEL_NOT_FOUND = "model_not_found"
    VOICE_MISSING = "voice_missing"
    REFERENCE_UNAVAILABLE = "reference_unavailable"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    CANNOT_SPEAK = "cannot_speak"
    QUEUE_FULL = "queue_full"
    LOADING = "loading"
    DRAINING = "draining"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    SEND_STALLED = "send_stalled"
    CANCELLED = "cancelled"
    ENGINE_FAILED = "engine_failed"
    INTERNAL = "internal"

    @property
    def status(self) -> int:
        """The HTTP status of a refusal with this code."""
        return _STATUS[self]

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed on another worker or a little later."""
        return self in _RETRYABLE


_STATUS: Final[dict[ErrorCode, int]] = {
    ErrorCode.INVALID: 400,
    ErrorCode.INVALID_TOKEN: 401,
    ErrorCode.CONSENT_REQUIRED: 403,
    ErrorCode.CONSENT_INVALID: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.REQUEST_TIMEOUT: 408,
    ErrorCode.VOICE_NOT_FOUND: 404,
    ErrorCode.MODEL_NOT_FOUND: 404,
    ErrorCode.VOICE_MISSING: 409,
    ErrorCode.REFERENCE_UNAVAILABLE: 503,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.CANNOT_SPEAK: 422,
    ErrorCode.QUEUE_FULL: 429,
    ErrorCode.LOADING: 503,
    ErrorCode.DRAINING: 503,
    ErrorCode.DEADLINE_EXCEEDED: 503,
    ErrorCode.SEND_STALLED: 503,
    ErrorCode.CANCELLED: 499,  # nginx's word for a request that its caller gave up
    ErrorCode.ENGINE_FAILED: 500,
    ErrorCode.INTERNAL: 500,
}
_RETRYABLE: Final = frozenset(
    {
        ErrorCode.QUEUE_FULL,
        ErrorCode.LOADING,
        ErrorCode.DRAINING,
        ErrorCode.ENGINE_FAILED,
        ErrorCode.REFERENCE_UNAVAILABLE,
    }
)


class QueueState(TypedDict):
    """Requests that have begun, that wait to begin, and how many the worker holds at most.

    `position` is the place among the waiting that a request of the caller's tenant would get now.
    """

    active: int
    waiting: int
    capacity: int
    position: int


class Readiness(TypedDict):
    """The body of `GET /ready`, with status 200 as well as 503."""

    protocol: int
    version: str
    status: Literal["loading", "ready", "draining"]
    engine: str
    models: list[str]
    voices: list[str]
    languages: list[str]
    features: list[str]
    formats: list[str]
    sample_rate: int
    max_batch: int
    queue: QueueState


class MalformedFrameError(ValueError):
    """The bytes are not a framed stream of this protocol."""


class _Packed:
    TYPE: ClassVar[str]
    WIRE_NAMES: ClassVar[Mapping[str, str]] = {}

    def pack(self) -> bytes:
        """The message as one MessagePack map."""
        body: dict[str, object] = {"type": self.TYPE}
        for name, wire_name, _ in _WIRE_FIELDS[type(self)]:
            body[wire_name] = getattr(self, name)
        packed: bytes = msgpack.packb(body)
        return packed

    @classmethod
    def from_map(cls, body: Mapping[str, object]) -> Self:
        """Reads a decoded map; fields that this version does not know are left aside."""
        values: list[object] = []
        for _, wire_name, kind in _WIRE_FIELDS[cls]:
            value = body.get(wire_name)
            if type(value) is not kind:
                raise MalformedFrameError(f"{cls.TYPE}.{wire_name} is not of type {kind.__name__}")
            if type(value) is int and value < 0:
                raise MalformedFrameError(f"{cls.TYPE}.{wire_name} is negative")
            values.append(value)
        return cls(*values)


_KINDS: Final[dict[str, type]] = {"int": int, "str": str, "bytes": bytes, "bool": bool}


@dataclass(frozen=True, slots=True)
class Start(_Packed):
    """Opens a stream: what speaks, and how its audio is encoded."""

    TYPE = "start"
    protocol: int
    request_id: str
    engine: str
    model: str
    voice: str
    format: str
    sample_rate: int


@dataclass(frozen=True, slots=True)
class Audio(_Packed):
    """A run of bytes in the asked format; frames joined give the whole."""

    TYPE = "audio"
    data: bytes


@dataclass(frozen=True, slots=True)
class Mark(_Packed):
    """Closes a piece: `audio_ms` of audio so far speak the text up to `source_to`.

    `source_from` and `source_to` (on the wire `from` and `to`) are the piece's span in the caller's text;
    the spans of a stream follow each other without a gap.
    """

    TYPE = "mark"
    WIRE_NAMES = {"source_from": "from", "source_to": "to"}
    audio_ms: int
    source_from: int
    source_to: int


@dataclass(frozen=True, slots=True)
class End(_Packed):
    """The stream is whole. `gpu_ms` is engine time, `queue_ms` the wait for the engine's first work."""

    TYPE = "end"
    audio_ms: int
    characters: int
    gpu_ms: int
    pieces: int
    pieces_remade: int
    queue_ms: int


@dataclass(frozen=True, slots=True)
class Error(_Packed):
    """The stream ends here and is not whole. `code` is an ErrorCode, or a newer worker's word."""

    TYPE = "error"
    code: str
    message: str
    retryable: bool


Message = Start | Audio | Mark | End | Error
_MESSAGES: Final[dict[str, type[Message]]] = {kind.TYPE: kind for kind in (Start, Audio, Mark, End, Error)}
_WIRE_FIELDS: Final[dict[type, tuple[tuple[str, str, type], ...]]] = {
    message: tuple(
        (field.name, message.WIRE_NAMES.get(field.name, field.name), _KINDS[str(field.type)])
        for field in fields(message)
    )
    for message in _MESSAGES.values()
}


class FrameReader:
    """Reads a framed stream from bytes that arrive in any chunking, and holds its order.

    `ended` turns true with `end`: a stream that stops before is cut.
    """

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=max_frame_bytes + _FEED_BYTES,
            max_bin_len=max_frame_bytes,
            max_map_len=_MAX_FIELDS,
        )
        self._unfinished_bytes = 0
        self._started = False
        self._closed = False
        self.ended = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes. Raises MalformedFrameError."""
        messages: list[Message] = []
        for offset in range(0, len(data), _FEED_BYTES):
            self._feed(data[offset : offset + _FEED_BYTES], messages)
        return messages

    def _feed(self, data: bytes, messages: list[Message]) -> None:
        self._unfinished_bytes += len(data)
        try:
            self._unpacker.feed(data)
            for body in self._unpacker:
                self._unfinished_bytes = 0
                messages.append(self._message(body))
        except MalformedFrameError:
            raise
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise MalformedFrameError("not MessagePack, or a frame that is too long") from error
        # Many small values would pass the limits on each of them.
        if self._unfinished_bytes > self._max_frame_bytes + _FEED_BYTES:
            raise MalformedFrameError("not MessagePack, or a frame that is too long")

    def _message(self, body: Any) -> Message:
        kind = _MESSAGES.get(str(body.get("type"))) if isinstance(body, dict) else None
        if kind is None:
            raise MalformedFrameError("a frame is not a map with a known type")
        if self._closed:
            raise MalformedFrameError(f"{kind.TYPE} after the stream has ended")
        if not self._started and kind not in (Start, Error):
            raise MalformedFrameError(f"{kind.TYPE} before start")
        if self._started and kind is Start:
            raise MalformedFrameError("start for a second time")
        message = kind.from_map(body)
        self._started = True
        self._closed = kind in (End, Error)
        self.ended = kind is End
        return message
