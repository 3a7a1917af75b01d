"""ElevenLabs' calls about voices, through the services and lists of `apps.voices`."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api import organization_of
from apps.core.api import MultiPartParser
from apps.core.errors import AppError, Conflict, InvalidRequest
from apps.tts.elevenlabs import schema
from apps.tts.elevenlabs.django_views import ElevenLabsView
from apps.tts.elevenlabs.errors import Unprocessable
from apps.tts.elevenlabs.voice_bodies import found, voice_body
from apps.tts.elevenlabs.voice_forms import (
    ElevenLabsNewVoiceSerializer,
    ElevenLabsVoiceSearchSerializer,
    search_of,
)
from apps.voices import services
from apps.voices.api import VOICE_ID, actor_of
from apps.voices.listing import find_listed, listed_voices
from apps.voices.models import Voice, VoiceConsent


class VoicesView(ElevenLabsView):
    reading_scopes = ("speech",)

    @extend_schema(
        operation_id="elevenlabs_list_voices",
        summary="All voices",
        description="The platform's and your own, newest first.",
        tags=[schema.ACCOUNT_TAG],
        auth=schema.SECURITY,
        responses=schema.ElevenLabsVoicesSerializer,
    )
    def get(self, request: Request) -> Response:
        voices = _speakable(request)
        return Response({"voices": [voice_body(voice) for voice in voices]})


class SearchVoicesView(ElevenLabsView):
    reading_scopes = ("speech",)

    @extend_schema(
        operation_id="elevenlabs_search_voices",
        summary="Search voices",
        description="A page of the platform's voices and your own.",
        tags=[schema.ACCOUNT_TAG],
        auth=schema.SECURITY,
        parameters=[ElevenLabsVoiceSearchSerializer],
        responses=schema.ElevenLabsFoundVoicesSerializer,
    )
    def get(self, request: Request) -> Response:
        result = found(_speakable(request), search_of(request.query_params))
        return Response(
            {
                "voices": [voice_body(voice) for voice in result.voices],
                "has_more": result.next_page_token is not None,
                "total_count": result.total,
                "next_page_token": result.next_page_token,
            }
        )


class VoiceView(ElevenLabsView):
    reading_scopes = ("speech",)

    @extend_schema(
        operation_id="elevenlabs_get_voice",
        summary="One voice",
        description="The platform's or your own, also one that may not be spoken.",
        tags=[schema.ACCOUNT_TAG],
        parameters=[VOICE_ID],
        auth=schema.SECURITY,
        responses=schema.ElevenLabsVoiceSerializer,
    )
    def get(self, request: Request, voice_id: str) -> Response:
        return Response(voice_body(find_listed(organization_of(request), voice_id)))

    @extend_schema(
        operation_id="elevenlabs_delete_voice",
        summary="Delete a voice of your own",
        description="Gone within a minute everywhere, its recording too.",
        tags=[schema.ACCOUNT_TAG],
        parameters=[VOICE_ID],
        auth=schema.SECURITY,
        responses={200: schema.ElevenLabsDeletedSerializer},
    )
    def delete(self, request: Request, voice_id: str) -> Response:
        services.delete_voice(voice=find_listed(organization_of(request), voice_id), by=actor_of(request))
        return Response({"status": "ok"})


class AddVoiceView(ElevenLabsView):
    """Never answers 409: their clients ask again then, and have lost the name and the labels by that time."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="elevenlabs_add_voice",
        summary="Clone a voice at once",
        description="Your organization must have accepted the terms for cloned voices in the console.",
        tags=[schema.ACCOUNT_TAG],
        auth=schema.SECURITY,
        request={"multipart/form-data": ElevenLabsNewVoiceSerializer},
        responses={200: schema.ElevenLabsAddedVoiceSerializer},
    )
    def post(self, request: Request) -> Response:
        form = ElevenLabsNewVoiceSerializer(data=request.data)
        try:
            form.is_valid(raise_exception=True)
        except serializers.ValidationError as error:
            raise Unprocessable.of(error, "body") from error
        told = form.validated_data
        try:
            voice = services.add_voice(
                organization=organization_of(request),
                name=told["name"],
                recordings=told["files"],
                by=actor_of(request),
                via=VoiceConsent.Via.TERMS,
                description=told["description"],
                labels=told["labels"],
                languages=_languages(told["labels"]),
            )
        except Conflict as error:
            raise InvalidRequest(error.message, code=error.code, param=error.param) from error
        except AppError as error:
            error.param = "files" if error.param == "file" else error.param
            raise
        return Response({"voice_id": voice.public_id, "requires_verification": False})


def _speakable(request: Request) -> list[Voice]:
    return list(listed_voices(organization_of(request)).filter(state=Voice.State.ACTIVE))


def _languages(labels: dict[str, str]) -> list[str]:
    return [labels["language"]] if labels.get("language") else []
