"""`/api/voices`: list, add, describe, withdraw, delete."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import Credential, organization_of
from apps.accounts.models import User
from apps.core.addresses import client_address_of
from apps.core.api import JSONParser, MultiPartParser
from apps.voices import services, statements
from apps.voices.actors import Actor
from apps.voices.listing import find_listed, listed_voices
from apps.voices.models import Voice, VoiceConsent
from apps.voices.serializers import (
    ChangedVoiceSerializer,
    ListQuerySerializer,
    NewVoiceSerializer,
    StatementSerializer,
    VoiceSerializer,
    WithdrawalSerializer,
)

# Whoever may speak may know what can be spoken.
READING_SCOPES = ("speech",)
VOICE_ID = OpenApiParameter(
    "voice_id",
    {"type": "string", "maxLength": 128},
    OpenApiParameter.PATH,
    description="The name of one of the platform's, or the id of your own.",
)


def actor_of(request: Request) -> Actor:
    address = client_address_of(request._request)
    if isinstance(request.user, User):
        return Actor.of_person(request.user, address=address)
    return Actor.of_key(cast("Credential", request.auth).key_prefix, address=address)


def _shown(voice: Voice, *, status_code: int = status.HTTP_200_OK) -> Response:
    return Response(VoiceSerializer(voice).data, status=status_code)


@extend_schema_view(
    get=extend_schema(
        summary="List voices",
        description="The platform's and your own, newest first.",
        operation_id="voices_list",
        parameters=[ListQuerySerializer],
    )
)
class VoicesView(generics.ListAPIView[Voice]):
    serializer_class = VoiceSerializer
    queryset = Voice.objects.none()
    parser_classes = [MultiPartParser]
    reading_scopes = READING_SCOPES

    def get_queryset(self) -> Any:
        query = ListQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return listed_voices(organization_of(self.request), **query.validated_data)

    @extend_schema(
        summary="Clone a voice",
        description="Answers once the recording is checked and kept; its preview is made a little later.",
        operation_id="voices_create",
        request={"multipart/form-data": NewVoiceSerializer},
        responses={201: VoiceSerializer},
    )
    def post(self, request: Request) -> Response:
        form = NewVoiceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        voice = services.add_voice(
            organization=organization_of(request),
            name=told["name"],
            recordings=request.FILES.getlist("file"),
            by=actor_of(request),
            via=VoiceConsent.Via.API,
            consent=told["consent"],
            consent_version=told["consent_version"],
            description=told["description"],
            labels=told["labels"],
            languages=[told["language"]] if told["language"] else [],
        )
        return _shown(voice, status_code=status.HTTP_201_CREATED)


@extend_schema(parameters=[VOICE_ID])
class VoiceView(APIView):
    reading_scopes = READING_SCOPES

    @extend_schema(summary="One voice", operation_id="voices_get", responses=VoiceSerializer)
    def get(self, request: Request, voice_id: str) -> Response:
        return _shown(find_listed(organization_of(request), voice_id))

    @extend_schema(
        summary="Describe a voice",
        operation_id="voices_update",
        request=ChangedVoiceSerializer,
        responses=VoiceSerializer,
    )
    def patch(self, request: Request, voice_id: str) -> Response:
        form = ChangedVoiceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        voice = find_listed(organization_of(request), voice_id)
        services.describe_voice(voice=voice, **form.validated_data)
        return _shown(voice)

    @extend_schema(
        summary="Delete a voice",
        operation_id="voices_delete",
        responses={204: OpenApiResponse(description="Gone within a minute everywhere, its recording too.")},
    )
    def delete(self, request: Request, voice_id: str) -> Response:
        services.delete_voice(voice=find_listed(organization_of(request), voice_id), by=actor_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ConsentStatementView(APIView):
    reading_scopes = READING_SCOPES

    @extend_schema(
        summary="The statement to agree to",
        description="Show it, word for word, to whoever adds a voice; send its version with the recording.",
        operation_id="voices_consent",
        responses=StatementSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(StatementSerializer(statements.current_consent()).data)


@extend_schema(parameters=[VOICE_ID])
class WithdrawView(APIView):
    parser_classes = [JSONParser]

    @extend_schema(
        summary="Withdraw the consent to a voice",
        description="For good: within a minute nothing more is spoken with it, and its recording is deleted.",
        operation_id="voices_withdraw",
        request=WithdrawalSerializer,
        responses=VoiceSerializer,
    )
    def post(self, request: Request, voice_id: str) -> Response:
        form = WithdrawalSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        organization = organization_of(request)
        voice = find_listed(organization, voice_id)
        services.withdraw_consent(voice=voice, by=actor_of(request), reason=form.validated_data["reason"])
        return _shown(find_listed(organization, voice_id))
