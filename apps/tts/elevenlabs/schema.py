"""What the OpenAPI schema tells of this surface: its key, its errors, its answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.core.schema import ErrorShape, register_surface
from apps.keys.authentication import SPEECH_KEY_SECURITY
from apps.tts.elevenlabs.formats import DEFAULT, OUTPUT_FORMATS
from apps.voices.api import VOICE_ID

TAG: Final = "ElevenLabs"
ACCOUNT_TAG: Final = "ElevenLabs account"
# `XiApiKey` is among the settings' components: no view of Django's authenticates by it.
SECURITY: Final = [{"XiApiKey": []}, *SPEECH_KEY_SECURITY]
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["loc", "msg", "type"],
    "properties": {
        "loc": {
            "type": "array",
            "items": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            "description": "Where: body or query, then the field.",
        },
        "msg": {"type": "string"},
        "type": {"type": "string"},
    },
}
ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["status", "message", "param", "request_id"],
                    "properties": {
                        "status": {"type": "string", "description": "For programs."},
                        "message": {"type": "string", "description": "For people."},
                        "param": {
                            "type": "string",
                            "nullable": True,
                            "description": "The field it is about.",
                        },
                        "request_id": {"type": "string", "description": "As in request-id."},
                    },
                },
                {"type": "array", "items": _PROBLEM, "description": "With status 422."},
            ]
        }
    },
    "example": {
        "detail": {
            "status": "invalid_api_key",
            "message": "The API key is not valid. Check that it is whole, not revoked and not expired.",
            "param": None,
            "request_id": "req_01982f6b7c7a7d5e8c1f3b2a4d5e6f70",
        }
    },
}
AUDIO_ANSWERS: Final[dict[Any, Any]] = {
    (200, "audio/*"): OpenApiResponse(
        OpenApiTypes.BINARY, description="Audio in the asked format. `character-cost` is what it costs."
    )
}
TIMES: Final = (
    "Times are in seconds from the beginning of the audio, in a stream too. `alignment_source` is `engine`"
    " where the engine told when it spoke each word: only what lies within a word is a guess. It is"
    " `estimated` where only the ends of sentences are known: between them time is divided by how long each"
    " word takes to say."
)
SPEECH_PARAMETERS: Final = [
    VOICE_ID,
    OpenApiParameter("output_format", str, enum=list(OUTPUT_FORMATS), default=DEFAULT),
    OpenApiParameter("enable_logging", bool, default=True, description="false: nothing of it is kept."),
    OpenApiParameter(
        "optimize_streaming_latency", int, enum=[0, 1, 2, 3, 4], description="Accepted and ignored."
    ),
]


class ElevenLabsAlignmentSerializer(serializers.Serializer[Any]):
    characters = serializers.ListField(child=serializers.CharField(trim_whitespace=False))
    character_start_times_seconds = serializers.ListField(child=serializers.FloatField())
    character_end_times_seconds = serializers.ListField(child=serializers.FloatField())


class ElevenLabsTimedSpeechSerializer(serializers.Serializer[Any]):
    audio_base64 = serializers.CharField(allow_blank=True)
    alignment = ElevenLabsAlignmentSerializer(allow_null=True, help_text="Of your text.")
    normalized_alignment = ElevenLabsAlignmentSerializer(
        allow_null=True, help_text="Of what was said: numbers and the like written out."
    )
    alignment_source = serializers.ChoiceField(
        choices=["engine", "estimated"],
        help_text="Whether the engine told when it spoke each word, or only the ends of sentences are known.",
    )


class ElevenLabsLanguageSerializer(serializers.Serializer[Any]):
    language_id = serializers.CharField()
    name = serializers.CharField()


class ElevenLabsModelRatesSerializer(serializers.Serializer[Any]):
    character_cost_multiplier = serializers.FloatField()


class ElevenLabsModelSerializer(serializers.Serializer[Any]):
    model_id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    can_be_finetuned = serializers.BooleanField()
    can_do_text_to_speech = serializers.BooleanField()
    can_do_voice_conversion = serializers.BooleanField()
    can_use_style = serializers.BooleanField()
    can_use_speaker_boost = serializers.BooleanField()
    serves_pro_voices = serializers.BooleanField()
    requires_alpha_access = serializers.BooleanField()
    token_cost_factor = serializers.FloatField()
    model_rates = ElevenLabsModelRatesSerializer()
    concurrency_group = serializers.CharField()
    languages = ElevenLabsLanguageSerializer(many=True)
    max_characters_request_free_user = serializers.IntegerField()
    max_characters_request_subscribed_user = serializers.IntegerField()
    maximum_text_length_per_request = serializers.IntegerField()


class ElevenLabsVoiceSettingsShownSerializer(serializers.Serializer[Any]):
    stability = serializers.FloatField()
    similarity_boost = serializers.FloatField()
    style = serializers.FloatField()  # type: ignore[assignment]
    use_speaker_boost = serializers.BooleanField()
    speed = serializers.FloatField()


class ElevenLabsVoiceSerializer(serializers.Serializer[Any]):
    voice_id = serializers.CharField()
    name = serializers.CharField()
    category = serializers.ChoiceField(choices=["premade", "cloned"])
    description = serializers.CharField(allow_null=True)
    labels = serializers.DictField(child=serializers.CharField())
    preview_url = serializers.CharField(allow_null=True, help_text="Good for an hour; null until it is made.")
    settings = ElevenLabsVoiceSettingsShownSerializer(help_text="What leaves the engine as it is.")
    available_for_tiers = serializers.ListField(child=serializers.CharField())
    high_quality_base_model_ids = serializers.ListField(
        child=serializers.CharField(), help_text="The models that have it; empty for a cloned voice."
    )
    safety_control = serializers.ChoiceField(
        choices=["BAN"], allow_null=True, help_text="BAN: it may not be spoken."
    )
    permission_on_resource = serializers.ChoiceField(choices=["admin", "viewer"])
    is_owner = serializers.BooleanField()
    is_legacy = serializers.BooleanField()
    is_mixed = serializers.BooleanField()
    created_at_unix = serializers.IntegerField()


class ElevenLabsVoicesSerializer(serializers.Serializer[Any]):
    voices = ElevenLabsVoiceSerializer(many=True)


class ElevenLabsFoundVoicesSerializer(ElevenLabsVoicesSerializer):
    has_more = serializers.BooleanField()
    total_count = serializers.IntegerField()
    next_page_token = serializers.CharField(allow_null=True)


class ElevenLabsAddedVoiceSerializer(serializers.Serializer[Any]):
    voice_id = serializers.CharField()
    requires_verification = serializers.BooleanField()


class ElevenLabsDeletedSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok"])


class ElevenLabsPriceSerializer(serializers.Serializer[Any]):
    amount = serializers.CharField()
    currency = serializers.CharField()


class ElevenLabsSubscriptionSerializer(serializers.Serializer[Any]):
    tier = serializers.CharField()
    status = serializers.CharField()
    character_count = serializers.IntegerField()
    character_limit = serializers.IntegerField(help_text="2147483647 where nothing limits them.")
    next_character_count_reset_unix = serializers.IntegerField()
    max_credit_limit_extension = serializers.IntegerField()
    can_extend_character_limit = serializers.BooleanField()
    allowed_to_extend_character_limit = serializers.BooleanField()
    voice_slots_used = serializers.IntegerField()
    voice_limit = serializers.IntegerField()
    can_extend_voice_limit = serializers.BooleanField()
    can_use_instant_voice_cloning = serializers.BooleanField()
    voice_add_edit_counter = serializers.IntegerField()
    professional_voice_slots_used = serializers.IntegerField()
    professional_voice_slots_used_in_workspace = serializers.IntegerField()
    professional_voice_limit = serializers.IntegerField()
    can_use_professional_voice_cloning = serializers.BooleanField()
    currency = serializers.CharField()
    current_overage = ElevenLabsPriceSerializer()
    billing_period = serializers.CharField()
    character_refresh_period = serializers.CharField()
    open_invoices = serializers.ListField(child=serializers.DictField())
    has_open_invoices = serializers.BooleanField()


class ElevenLabsUserSerializer(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    workspace_id = serializers.CharField()
    first_name = serializers.CharField()
    xi_api_key_preview = serializers.CharField()
    is_api_key_hashed = serializers.BooleanField()
    is_new_user = serializers.BooleanField()
    is_onboarding_completed = serializers.BooleanField()
    is_onboarding_checklist_completed = serializers.BooleanField()
    can_use_delayed_payment_methods = serializers.BooleanField()
    created_at = serializers.IntegerField()
    seat_type = serializers.CharField()
    subscription = ElevenLabsSubscriptionSerializer()


_SHAPE: Final = ErrorShape(
    "ElevenLabsError",
    ERROR,
    of_query=(HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY),
    meanings={
        HTTPStatus.UNAUTHORIZED: "The API key is not valid, lacks the scope, or its quota is used up.",
        HTTPStatus.FORBIDDEN: "The organization is suspended, or may not do this.",
        HTTPStatus.UNPROCESSABLE_ENTITY: "The request is of the wrong shape; `loc` says where.",
    },
)
register_surface(TAG, _SHAPE)
register_surface(ACCOUNT_TAG, _SHAPE, speaks=False)
