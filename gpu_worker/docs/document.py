"""The OpenAPI document, built by hand, for `/generate` is bare ASGI, from the code's own constants."""

from __future__ import annotations

from typing import Any, Final

from gpu_worker import __version__
from gpu_worker.audio import FORMATS, MEDIA_TYPES
from gpu_worker.docs.errors import error_schema, refusals
from gpu_worker.docs.fields import request_schema, tenant_header
from gpu_worker.docs.normalize import normalize_operation
from gpu_worker.docs.voices import CLONING, delete_voice_operation, multipart_content, voices_operation
from gpu_worker.protocol import (
    API_KEY_HEADER,
    MAX_REQUEST_BYTES,
    PROTOCOL,
    REQUEST_ID_HEADER,
    STREAM_MEDIA_TYPE,
    TOKEN_HEADER,
    ErrorCode,
)

_INTRODUCTION: Final = f"""Text in, speech out. `POST /generate` with `{{"text": "…"}}` answers audio: a whole
file with exact headers, the same as it is made (`"stream": true`), or, for programs that want to know what
was spoken when, a framed stream (`Accept: {STREAM_MEDIA_TYPE}`).

Where the worker has a token, send it as `{API_KEY_HEADER}`, `Authorization: Bearer` or `{TOKEN_HEADER}`."""

_STREAM: Final = """MessagePack maps one after another, each with a `type`:

- `start`: protocol, request_id, engine, model, voice, format, sample_rate
- `audio`: data, bytes in the asked format
- `mark`: audio_ms, from, to; the audio so far speaks the text up to `to` (code points of your text)
- `end`: audio_ms, characters, gpu_ms (engine time), pieces, pieces_remade, queue_ms
- `error`: code, message, retryable

The last is `end` or `error`. A stream without `end` is cut, whatever HTTP says."""

_TENANT_FIELD: Final = "The same as the field `tenant`, which goes first."
_BINARY: Final = {"type": "string", "format": "binary"}
_BODY_ERRORS: Final = (
    ErrorCode.INVALID,
    ErrorCode.INVALID_TOKEN,
    ErrorCode.REQUEST_TIMEOUT,
    ErrorCode.TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
)
_SPEECH_ERRORS: Final = (
    *_BODY_ERRORS,
    ErrorCode.CONSENT_REQUIRED,
    ErrorCode.CONSENT_INVALID,
    ErrorCode.MODEL_NOT_FOUND,
    ErrorCode.VOICE_NOT_FOUND,
    ErrorCode.VOICE_MISSING,
    ErrorCode.REFERENCE_UNAVAILABLE,
    ErrorCode.CANNOT_SPEAK,
    ErrorCode.QUEUE_FULL,
    ErrorCode.LOADING,
    ErrorCode.DRAINING,
    ErrorCode.DEADLINE_EXCEEDED,
    ErrorCode.CANCELLED,
    ErrorCode.ENGINE_FAILED,
    ErrorCode.INTERNAL,
)


def document() -> dict[str, Any]:
    """OpenAPI 3.1, ready for JSON."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "VoiceFlow speech worker", "version": __version__, "description": _INTRODUCTION},
        "tags": [
            {"name": "Speech"},
            {"name": "Voices"},
            {"name": "State"},
        ],
        "paths": {
            "/generate": {"post": _generate()},
            "/normalize": {"post": normalize_operation()},
            "/cancel/{request_id}": {"post": _cancel()},
            "/voices": {"get": voices_operation()},
            "/voices/{sha256}": {"delete": delete_voice_operation()},
            "/ready": {"get": _ready()},
            "/health": {"get": _health()},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": {"SpeechRequest": request_schema(), "Error": error_schema()},
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
                "bearer": {"type": "http", "scheme": "bearer"},
                "workerToken": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER},
            },
        },
        # Any one of them; none where the worker has no token.
        "security": [{"apiKey": []}, {"bearer": []}, {"workerToken": []}, {}],
    }


def _generate() -> dict[str, Any]:
    example = {"text": "Hello from VoiceFlow. It is 7:30 pm.", "format": FORMATS[0]}
    return {
        "tags": ["Speech"],
        "operationId": "generate",
        "summary": "Speak a text",
        "description": f"At most {MAX_REQUEST_BYTES // 1000} kB of JSON. A client that closes its "
        "connection, even its sending half alone, stops the work. An answer that cannot be finished is cut: "
        "HTTP then shows an incomplete body.\n\n" + CLONING,
        "parameters": [_request_id_header(), tenant_header(_TENANT_FIELD), _accept_header()],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/SpeechRequest"},
                    "example": example,
                },
                **multipart_content(),
            },
        },
        "responses": {
            "200": {
                "description": "Audio in the asked format, or the framed stream.",
                "headers": _audio_headers(),
                "content": {MEDIA_TYPES[name]: {"schema": _BINARY} for name in FORMATS}
                | {
                    STREAM_MEDIA_TYPE: {
                        "schema": {"type": "string", "format": "binary", "description": _STREAM}
                    }
                },
            },
            **refusals(_SPEECH_ERRORS),
        },
    }


def _request_id_header() -> dict[str, Any]:
    return {
        "name": REQUEST_ID_HEADER,
        "in": "header",
        "schema": {"$ref": "#/components/schemas/SpeechRequest/properties/request_id"},
        "description": "The same as the field `request_id`, which goes first.",
    }


def _accept_header() -> dict[str, Any]:
    return {
        "name": "Accept",
        "in": "header",
        "schema": {"type": "string"},
        "description": f"`{STREAM_MEDIA_TYPE}` asks for the framed stream; anything else for audio.",
    }


def _audio_headers() -> dict[str, Any]:
    described = {
        REQUEST_ID_HEADER: ("string", "The request's id."),
        "X-Sample-Rate": ("integer", "Of the audio, in Hz."),
        "X-Queue-Ms": ("integer", "Time before the engine's first work."),
        "X-Audio-Ms": ("integer", "Length of the audio; whole answers only, as are those below."),
        "X-Gpu-Ms": ("integer", "Time that the engine spent."),
        "X-Pieces": ("integer", "Parts that the text was spoken in."),
        "X-Pieces-Remade": ("integer", "Parts made twice, for their audio did not pass its check."),
    }
    return {
        name: {"schema": {"type": kind}, "description": description}
        for name, (kind, description) in described.items()
    }


def _cancel() -> dict[str, Any]:
    return {
        "tags": ["Speech"],
        "operationId": "cancel",
        "summary": "Stop a request",
        "description": "For callers behind an edge that hides the closing of their connection.",
        "parameters": [
            {
                "name": "request_id",
                "in": "path",
                "required": True,
                "schema": {"$ref": "#/components/schemas/SpeechRequest/properties/request_id"},
            }
        ],
        "responses": {
            "200": _json("So many requests of that id were stopped.", {"cancelled": 1}),
            **refusals((ErrorCode.INVALID_TOKEN, ErrorCode.NOT_FOUND)),
        },
    }


def _ready() -> dict[str, Any]:
    example = {
        "protocol": PROTOCOL,
        "version": __version__,
        "status": "ready",
        "engine": "cpu",
        "models": ["hibari"],
        "voices": ["heart"],
        "languages": ["en"],
        "features": [],
        "formats": list(FORMATS),
        "sample_rate": 24_000,
        "max_batch": 1,
        "queue": {"active": 0, "waiting": 0, "capacity": 128, "position": 1},
    }
    return {
        "tags": ["State"],
        "operationId": "ready",
        "summary": "What it can speak, and whether it can now",
        "description": "HEAD answers the status alone.",
        "parameters": [tenant_header("Whose `position` in the queue is asked for.")],
        "responses": {
            "200": _json("It speaks.", example),
            "503": _json("It loads its engine, or is about to end.", example | {"status": "loading"}),
            **refusals((ErrorCode.INVALID_TOKEN,)),
        },
    }


def _health() -> dict[str, Any]:
    return {
        "tags": ["State"],
        "operationId": "health",
        "summary": "Whether the process lives",
        "description": "HEAD answers the status alone.",
        "responses": {"200": _json("It lives.", {"status": "ok"}), **refusals((ErrorCode.INVALID_TOKEN,))},
    }


def _metrics() -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "tags": ["State"],
        "operationId": "metrics",
        "summary": "Figures for Prometheus",
        "responses": {
            "200": {"description": "Prometheus's text format.", "content": content},
            **refusals((ErrorCode.INVALID_TOKEN,)),
        },
    }


def _json(description: str, example: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
    }
