"""The paths of the speech API: what both doors serve."""

from __future__ import annotations

import re
from collections.abc import Mapping

from apps.core.errors import AppError
from apps.tts.elevenlabs import catalogue as elevenlabs_catalogue
from apps.tts.elevenlabs import synthesis, timestamps
from apps.tts.elevenlabs.surface import ELEVENLABS
from apps.tts.endpoints import Endpoint
from apps.tts.native import GENERATE
from apps.tts.openai import endpoints as openai
from apps.tts.surfaces import NATIVE, Surface

# `{name}` is one part of a path. Django's URLs name the same paths in their own way (`urls.py`).
ENDPOINTS: Mapping[str, Endpoint] = {
    "/generate": GENERATE,
    "/v1/audio/speech": openai.SPEECH,
    "/v1/models": openai.MODELS,
    "/v1/models/{model}": openai.MODEL,
    "/elevenlabs/v1/text-to-speech/{voice_id}": synthesis.CONVERT,
    "/elevenlabs/v1/text-to-speech/{voice_id}/stream": synthesis.STREAM,
    "/elevenlabs/v1/text-to-speech/{voice_id}/with-timestamps": timestamps.CONVERT_WITH_TIMESTAMPS,
    "/elevenlabs/v1/text-to-speech/{voice_id}/stream/with-timestamps": timestamps.STREAM_WITH_TIMESTAMPS,
    "/elevenlabs/v1/models": elevenlabs_catalogue.MODELS,
}
# What lies below these and is nobody's, so that it is refused in the shape of its API.
BELOW: Mapping[str, Endpoint] = {"/v1": openai.UNKNOWN}

_EXACT = {path: endpoint for path, endpoint in ENDPOINTS.items() if "{" not in path}
_PATTERNS = [
    (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))), endpoint)
    for path, endpoint in ENDPOINTS.items()
    if "{" in path
]


def find(path: str) -> tuple[Endpoint, Mapping[str, str]] | None:
    """Who answers there, and the parts that its path names."""
    if endpoint := _EXACT.get(path):
        return endpoint, {}
    for pattern, endpoint in _PATTERNS:
        if match := pattern.fullmatch(path):
            return endpoint, match.groupdict()
    for beginning, endpoint in BELOW.items():
        if path == beginning or path.startswith(f"{beginning}/"):
            return endpoint, {}
    return None


def surface_of(path: str) -> Surface:
    """Whose a path is, also where Django's own views answer it."""
    if found := find(path):
        return found[0].surface
    return ELEVENLABS if path.startswith("/elevenlabs/") else NATIVE


def refusal_body(path: str, error: AppError, request_id: str) -> bytes:
    """What a body that is refused before anybody reads it is answered with, in the shape of its path."""
    return surface_of(path).refusal(error, request_id).body
