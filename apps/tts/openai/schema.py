"""What the OpenAPI schema tells of OpenAI's surface: its key, its errors, its answers."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

from apps.core.schema import ErrorShape, register_surface
from apps.keys.authentication import SPEECH_KEY_SECURITY
from apps.tts.openai import events
from apps.tts.openai.body import MEDIA_TYPES

TAG: Final = "OpenAI"
# `BearerKey` is among the settings' components: no view of Django's authenticates by it.
SECURITY: Final = [{"BearerKey": []}, *SPEECH_KEY_SECURITY]
ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "For people."},
                "type": {
                    "type": "string",
                    "enum": [
                        "authentication_error",
                        "insufficient_quota",
                        "invalid_request_error",
                        "permission_error",
                        "requests",
                        "server_error",
                    ],
                },
                "param": {"type": "string", "nullable": True, "description": "The field it is about."},
                "code": {"type": "string", "nullable": True, "description": "For programs."},
            },
        }
    },
    "example": {
        "error": {
            "message": "The API key is not valid. Check that it is whole, not revoked and not expired.",
            "type": "authentication_error",
            "param": None,
            "code": "invalid_api_key",
        }
    },
}
EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "string", "description": "JSON, one object an event."}},
}
SPEECH_ANSWERS: Final[dict[Any, Any]] = {
    (200, media_type): OpenApiResponse(
        OpenApiTypes.BINARY, description="Audio as it is made, or events that hold it as base64."
    )
    for media_type in MEDIA_TYPES.values()
} | {
    (200, events.MEDIA_TYPE): OpenApiResponse(
        EVENT,
        description="`speech.audio.delta` with `audio`, then `speech.audio.done` with `usage`, or `error`.",
    )
}


class OpenAIModelSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["model"])
    created = serializers.IntegerField(help_text="In seconds since 1970.")
    owned_by = serializers.CharField(help_text="`voiceflow`, or `organization` for one of your own.")


# `data` is a word of serializers themselves.
MODELS: Final = inline_serializer(
    "OpenAIModels",
    {"object": serializers.ChoiceField(choices=["list"]), "data": OpenAIModelSerializer(many=True)},
)


register_surface(TAG, ErrorShape("OpenAIError", ERROR))
