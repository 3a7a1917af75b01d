"""Voices as `/api/voices` takes and shows them."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core import media
from apps.voices import statements
from apps.voices.models import Voice, VoiceConsent

PREVIEW_LINK_SECONDS = 3600


class ConsentSerializer(serializers.ModelSerializer[VoiceConsent]):
    given_by = serializers.CharField(source="person_name", read_only=True)
    version = serializers.CharField(source="text_version", read_only=True)

    class Meta:
        model = VoiceConsent
        fields = ["version", "text_sha256", "given_by", "given_at", "withdrawn_at", "withdrawn_reason"]
        read_only_fields = fields


class VoiceSerializer(serializers.ModelSerializer[Voice]):
    """`id` is what `voice` of a speech request takes; so is the name of one's own."""

    id = serializers.CharField(source="public_id", read_only=True)
    labels = serializers.DictField(child=serializers.CharField(), read_only=True)
    languages = serializers.ListField(child=serializers.CharField(), read_only=True)
    models = serializers.ListField(
        source="engine_models",
        child=serializers.CharField(),
        read_only=True,
        help_text="Those that have it; empty for a cloned voice, which every model that clones can speak.",
    )
    preview_url = serializers.SerializerMethodField(help_text="Good for an hour; null until it is made.")
    consent = serializers.SerializerMethodField(help_text="Of a cloned voice.")

    class Meta:
        model = Voice
        fields = [
            "id",
            "name",
            "description",
            "labels",
            "languages",
            "category",
            "models",
            "state",
            "suspended_reason",
            "reference_seconds",
            "preview_url",
            "consent",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "string", "nullable": True})
    def get_preview_url(self, voice: Voice) -> str | None:
        return preview_link(voice)

    @extend_schema_field(ConsentSerializer(allow_null=True))
    def get_consent(self, voice: Voice) -> dict[str, Any] | None:
        consent = next(iter(voice.consents.all()), None)
        return dict(ConsentSerializer(consent).data) if consent else None


class LabelsField(serializers.Field):  # type: ignore[type-arg]
    """An object of words by word; in a form, its JSON."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if isinstance(data, str):
            try:
                data = json.loads(data) if data.strip() else {}
            except (ValueError, RecursionError):
                raise serializers.ValidationError("Labels are JSON.") from None
        if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
            raise serializers.ValidationError('Labels are words by word, such as {"accent": "Scottish"}.')
        return data

    def to_representation(self, value: Any) -> Any:
        return value


LabelsField = extend_schema_field(OpenApiTypes.STR)(LabelsField)  # type: ignore[misc]


class NewVoiceSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(
        use_url=False, help_text="A recording of the voice, 3 to 120 s, 20 MB; repeated ones are joined."
    )
    name = serializers.CharField(max_length=80)
    description = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    labels = LabelsField(required=False, default=dict, help_text='JSON such as {"accent": "Scottish"}.')
    language = serializers.CharField(
        max_length=35, required=False, default="", allow_blank=True, help_text="A tag such as en or en-GB."
    )
    consent = serializers.BooleanField(
        help_text="true, once you agree to the statement that GET /api/voices/consent shows."
    )
    consent_version = serializers.CharField(max_length=32, help_text="The version you agree to.")


class ChangedVoiceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    labels = serializers.DictField(child=serializers.CharField(max_length=80), required=False)
    languages = serializers.ListField(
        child=serializers.CharField(max_length=35), required=False, max_length=20
    )


class WithdrawalSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class StatementSerializer(serializers.Serializer[statements.Statement]):
    version = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True)
    sha256 = serializers.CharField(read_only=True, help_text="Of the text in UTF-8.")


class ListQuerySerializer(serializers.Serializer[Any]):
    search = serializers.CharField(max_length=80, required=False, help_text="In names and descriptions.")
    category = serializers.ChoiceField(choices=Voice.Category.choices, required=False)
    language = serializers.CharField(max_length=35, required=False)


def preview_link(voice: Voice) -> str | None:
    """A link to the clip that whoever has it may follow for an hour."""
    if not voice.preview_key:
        return None
    return media.signed_link(
        voice.preview_key,
        expires_seconds=PREVIEW_LINK_SECONDS,
        filename=f"{voice.name}.mp3",
        content_type="audio/mpeg",
        attachment=False,
    )
