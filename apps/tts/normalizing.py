"""`/api/normalize`: what a text would be spoken as, without speaking it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.errors import InvalidRequest
from apps.core.schema import TEXT_TAG
from apps.keys.authentication import ApiKeyAuthentication
from apps.tts.fields import NameField, TextField
from gpu_worker.protocol import MAX_TEXT_CHARACTERS
from gpu_worker.text import UnknownTagError, has_rules, speakable, spoken_map

EXAMPLE = {"spoken": "It costs five dollars.", "map": [[0, 9, 0, 9], [9, 21, 9, 11], [21, 22, 11, 12]]}


class NormalizeSerializer(serializers.Serializer[Any]):
    text = TextField(max_length=MAX_TEXT_CHARACTERS)
    normalize = serializers.ChoiceField(
        choices=["auto", "on", "off"],
        default="auto",
        help_text="Whether numbers, dates, money and the like are written out; `auto` does so for English.",
    )
    language = NameField(default="en", max_length=35, help_text="A language tag such as en or en-GB.")
    unknown_tags = serializers.ChoiceField(
        choices=["error", "drop", "speak"],
        default="speak",
        help_text="What becomes of words in brackets that are no tag: refused, left out, or read aloud.",
    )


class NormalizedSerializer(serializers.Serializer[Any]):
    spoken = serializers.CharField(allow_blank=True)
    map = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=4, max_length=4),
        help_text="[from, to] in `spoken`, then in your text; in code points, without gaps in `spoken`.",
    )


class NormalizeView(APIView):
    authentication_classes = [ApiKeyAuthentication]
    required_scope = "speech"

    @extend_schema(
        operation_id="normalize",
        summary="What a text is spoken as",
        tags=[TEXT_TAG],
        request=NormalizeSerializer,
        responses=NormalizedSerializer,
        examples=[
            OpenApiExample("Money", value={"text": "It costs $5."}, request_only=True),
            OpenApiExample("Money, spoken", value=EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        form = NormalizeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(normalized(**form.validated_data))


def normalized(*, text: str, normalize: Any, language: str, unknown_tags: Any) -> dict[str, Any]:
    """`{"spoken", "map"}` as a worker answers it. Raises `InvalidRequest`."""
    if normalize == "on" and not has_rules(language):
        raise InvalidRequest(
            "Only English can be written out; leave normalize on auto, or off.", param="normalize"
        )
    try:
        spoken = speakable(text, normalize=normalize, language=language, unknown_tags=unknown_tags)
    except UnknownTagError as error:
        raise InvalidRequest(str(error), param="text") from error
    return {"spoken": spoken.text, "map": spoken_map(spoken)}
