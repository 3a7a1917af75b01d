"""What the calls about voices take: the query of a search, the form of a new voice."""

from __future__ import annotations

from typing import Any, Final

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.tts.elevenlabs.errors import Unprocessable
from apps.tts.elevenlabs.voice_bodies import LABELS, VOICE_TYPES, Search
from apps.voices.serializers import LabelsField

_CATEGORIES: Final = ("premade", "cloned", "generated", "professional", "famous", "high_quality")
_NOTHING: Final = ("fine_tuning_state", "collection_id")


class ElevenLabsVoiceSearchSerializer(serializers.Serializer[Any]):
    search = serializers.CharField(
        required=False, max_length=200, allow_blank=True, help_text="In names, descriptions and labels."
    )
    page_size = serializers.IntegerField(required=False, default=10, min_value=1, max_value=100)
    next_page_token = serializers.CharField(required=False, max_length=1000)
    sort = serializers.ChoiceField(required=False, choices=["created_at_unix", "name"])
    sort_direction = serializers.ChoiceField(
        required=False, choices=["asc", "desc"], help_text="Default: the newest first, names from A."
    )
    voice_type = serializers.ChoiceField(
        required=False,
        choices=VOICE_TYPES,
        help_text="default: the platform's; personal, workspace: your own.",
    )
    category = serializers.ChoiceField(required=False, choices=_CATEGORIES)
    voice_ids = serializers.ListField(child=serializers.CharField(), required=False, max_length=100)
    include_total_count = serializers.BooleanField(
        required=False, default=True, help_text="It is always there."
    )
    gender = serializers.CharField(required=False, help_text="As the voice's label says.")
    age = serializers.CharField(required=False, help_text="As the voice's label says.")
    accent = serializers.CharField(required=False, help_text="As the voice's label says.")
    language = serializers.ListField(child=serializers.CharField(), required=False)
    use_cases = serializers.ListField(child=serializers.CharField(), required=False)
    fine_tuning_state = serializers.CharField(required=False, help_text="No voice here has one.")
    collection_id = serializers.CharField(required=False, help_text="No voice here has one.")
    high_quality = serializers.BooleanField(
        required=False, default=False, help_text="No voice here is so called."
    )


@extend_schema_field(OpenApiTypes.STR)
class _LabelsField(LabelsField):
    """Clients send the JSON of null for labels that are left out."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        is_null = isinstance(data, str) and data.strip() == "null"
        return {} if is_null else super().to_internal_value(data)


class ElevenLabsNewVoiceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    files = serializers.ListField(
        child=serializers.FileField(use_url=False),
        min_length=1,
        help_text="Recordings of the voice, 3 to 120 s and 20 MB in all; several are joined.",
    )
    description = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    labels = _LabelsField(required=False, default=dict, help_text='JSON such as {"accent": "Scottish"}.')
    remove_background_noise = serializers.BooleanField(
        required=False, default=False, help_text="Accepted and ignored."
    )


def search_of(query: QueryDict) -> Search:
    """Raises `Unprocessable`."""
    form = ElevenLabsVoiceSearchSerializer(data=query)
    try:
        form.is_valid(raise_exception=True)
    except serializers.ValidationError as error:
        raise Unprocessable.of(error, "query") from error
    told = form.validated_data
    return Search(
        search=told.get("search", ""),
        sort=told.get("sort", "created_at_unix"),
        sort_direction=told.get("sort_direction"),
        voice_type=told.get("voice_type"),
        category=told.get("category"),
        voice_ids=told.get("voice_ids", ()),
        labels=[(name, told[name]) for name in LABELS if name in told],
        languages=told.get("language", ()),
        use_cases=told.get("use_cases", ()),
        finds_nothing=told["high_quality"] or any(name in told for name in _NOTHING),
        page_size=told["page_size"],
        next_page_token=told.get("next_page_token"),
    )
