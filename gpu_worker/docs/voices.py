"""Voices, and requests that bring a recording of one, in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from gpu_worker.docs.errors import refusals
from gpu_worker.multipart import MULTIPART_MEDIA_TYPE
from gpu_worker.protocol import SHA256_PATTERN, ErrorCode
from gpu_worker.references.checking import MAX_SECONDS, MIN_SECONDS
from gpu_worker.references.decoding import MAX_REFERENCE_BYTES

CLONING: Final = f"""A `voice` may be the SHA-256 of a recording, where `features` of `/ready` name `clone`.
Such a request takes a `consent` token. A worker that lacks the recording answers `{ErrorCode.VOICE_MISSING}`
before any work; send the request once more with a `reference_url`, or as `{MULTIPART_MEDIA_TYPE}`: first the
part `request` with the JSON, then the part `reference` with the recording. A recording is {MIN_SECONDS:g} to
{MAX_SECONDS:g} s long, at most {MAX_REFERENCE_BYTES // 1_000_000} MB, in WAV, FLAC, MP3, Ogg (Opus, Vorbis),
M4A, AAC or WebM (Opus), and kept for a day at most."""


def multipart_content() -> dict[str, Any]:
    """A body with its recording."""
    return {
        MULTIPART_MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["request", "reference"],
                "properties": {
                    "request": {"$ref": "#/components/schemas/SpeechRequest"},
                    "reference": {"type": "string", "format": "binary"},
                },
            },
            "encoding": {"request": {"contentType": "application/json"}},
        }
    }


def voices_operation() -> dict[str, Any]:
    """`GET /voices`."""
    example = {"voices": ["heart", "emma"], "default": "heart"}
    return {
        "tags": ["Voices"],
        "operationId": "listVoices",
        "summary": "The voices that can be named",
        "responses": {
            "200": {
                "description": "By name; recordings are not among them.",
                "content": {"application/json": {"schema": _listing(), "example": example}},
            },
            **refusals((ErrorCode.INVALID_TOKEN, ErrorCode.LOADING, ErrorCode.DRAINING)),
        },
    }


def delete_voice_operation() -> dict[str, Any]:
    """`DELETE /voices/{sha256}`."""
    schema = {"type": "string", "pattern": f"^{SHA256_PATTERN.pattern}$"}
    return {
        "tags": ["Voices"],
        "operationId": "deleteVoice",
        "summary": "Forget a recording",
        "description": "From disk and memory. Requests that speak with it may finish.",
        "parameters": [{"name": "sha256", "in": "path", "required": True, "schema": schema}],
        "responses": {
            "204": {"description": "It is gone.", "content": {}},
            **refusals((ErrorCode.INVALID_TOKEN, ErrorCode.NOT_FOUND)),
        },
    }


def _listing() -> dict[str, Any]:
    name = {"type": "string"}
    return {
        "type": "object",
        "required": ["voices", "default"],
        "properties": {"voices": {"type": "array", "items": name}, "default": name},
    }
