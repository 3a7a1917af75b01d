"""`/api/contributions`: campaigns, consent, sentences, recordings, and listening to others."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.contributions import agreeing, deciding, hearing, intake, own_clips, sentences, showing
from apps.contributions.authentication import ContributorView
from apps.contributions.models import Campaign, Clip, Prompt
from apps.contributions.serializers import (
    AgreementSerializer,
    CampaignSerializer,
    ClipReportSerializer,
    ClipSerializer,
    ClipsQuerySerializer,
    ConsentTextSerializer,
    GivenConsentSerializer,
    HeardClipSerializer,
    PromptReportSerializer,
    PromptSerializer,
    PromptsQuerySerializer,
    UploadSerializer,
    VotedSerializer,
    VoteSerializer,
)
from apps.contributions.visiting import find_campaign, locale_of
from apps.core.addresses import client_address_of
from apps.core.api import JSONParser, MultiPartParser
from apps.core.errors import NotFound
from apps.core.media import serving

TAG = "contributions"
_REFUSES_STATE = {"x-refuses": [409]}
_AUDIO = {
    (200, "audio/flac"): OpenApiResponse(OpenApiTypes.BINARY, description="Or the range of it asked for.")
}


class CampaignsView(ContributorView):
    @extend_schema(
        summary="Campaigns that you may record in, or have recorded in",
        operation_id="contributions_campaigns_list",
        tags=[TAG],
        responses=CampaignSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response(CampaignSerializer(showing.standings(self.contributor), many=True).data)


class CampaignView(ContributorView):
    @extend_schema(
        summary="One campaign",
        operation_id="contributions_campaigns_get",
        tags=[TAG],
        responses=CampaignSerializer,
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        campaign = find_campaign(self.contributor, campaign_id)
        return Response(CampaignSerializer(showing.standing(self.contributor, campaign)).data)


class CampaignConsentsView(ContributorView):
    @extend_schema(
        summary="What a campaign asks you to agree to",
        description="In the language that Accept-Language names first, or the nearest that there is.",
        operation_id="contributions_consent_texts",
        tags=[TAG],
        responses=ConsentTextSerializer(many=True),
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        campaign = find_campaign(self.contributor, campaign_id)
        asks = agreeing.asks(self.contributor, campaign, locale_of(request._request))
        return Response(ConsentTextSerializer(asks, many=True).data)

    @extend_schema(
        summary="Agree, purpose by purpose",
        operation_id="contributions_consent_give",
        tags=[TAG],
        request=AgreementSerializer,
        responses={201: GivenConsentSerializer(many=True)},
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        campaign = find_campaign(self.contributor, campaign_id)
        form = AgreementSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        records = agreeing.agree(
            self.contributor,
            campaign,
            shown=form.validated_data["purposes"],
            is_adult=form.validated_data["is_adult"],
            address=client_address_of(request._request),
            user_agent=request.headers.get("User-Agent", ""),
        )
        return Response(GivenConsentSerializer(records, many=True).data, status=status.HTTP_201_CREATED)


class PromptsView(ContributorView):
    @extend_schema(
        summary="Sentences to record next",
        description="Those with the fewest recordings; none that you recorded, skipped or reported.",
        operation_id="contributions_prompts_list",
        tags=[TAG],
        parameters=[PromptsQuerySerializer],
        responses=PromptSerializer(many=True),
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        campaign = find_campaign(self.contributor, campaign_id)
        query = PromptsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        count = query.validated_data["count"]
        if not campaign.is_running:
            return Response([])
        found = sentences.next_prompts(self.contributor, campaign, count=count)
        first = self._first(campaign, query.validated_data.get("first"))
        if found and first is not None:
            found = [first, *(prompt for prompt in found if prompt.pk != first.pk)][:count]
        return Response(PromptSerializer(found, many=True).data)

    def _first(self, campaign: Campaign, prompt_id: UUID | None) -> Prompt | None:
        """One that was asked for by name, as after a rejection."""
        if prompt_id is None:
            return None
        own = Clip.objects.counting().filter(contributor=self.contributor, prompt=prompt_id)
        return (
            campaign.prompts.filter(pk=prompt_id, is_wanted=True).exclude(pk__in=own.values("prompt")).first()
        )


class PromptReportsView(ContributorView):
    @extend_schema(
        summary="Skip a sentence, or say what is wrong with it",
        operation_id="contributions_prompts_report",
        tags=[TAG],
        request=PromptReportSerializer,
        responses={204: OpenApiResponse(description="It is not asked of you again.")},
    )
    def post(self, request: Request, prompt_id: UUID) -> Response:
        prompt = Prompt.objects.select_related("campaign").filter(pk=prompt_id).first()
        if prompt is None:
            raise NotFound("There is no such sentence.")
        find_campaign(self.contributor, prompt.campaign_id)
        form = PromptReportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sentences.report(self.contributor, prompt, form.validated_data["reason"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    get=extend_schema(
        summary="Your recordings, newest first",
        operation_id="contributions_clips_list",
        tags=[TAG],
        parameters=[ClipsQuerySerializer],
    )
)
class ClipsView(ContributorView, generics.ListAPIView[Clip]):
    serializer_class = ClipSerializer
    queryset = Clip.objects.none()
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> QuerySet[Clip]:
        query = ClipsQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        clips = own_clips.listed(self.contributor)
        if "campaign" in wanted:
            clips = clips.filter(campaign=wanted["campaign"])
        if "state" in wanted:
            clips = clips.filter(state=wanted["state"])
        if "ids" in wanted:
            clips = clips.filter(pk__in=wanted["ids"])
        return clips

    @extend_schema(
        summary="Send a recording",
        description="It is kept once this answers. Sent again under its `upload_id` it gives the same one.",
        operation_id="contributions_clips_create",
        tags=[TAG],
        request={"multipart/form-data": UploadSerializer},
        responses={
            201: ClipSerializer,
            200: OpenApiResponse(ClipSerializer, description="It was here before."),
        },
        extensions={"x-refuses": [404, 409]},
    )
    def post(self, request: Request) -> Response:
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        taken = intake.take(
            contributor=self.contributor,
            prompt_id=told["prompt_id"],
            upload_id=told["upload_id"],
            recording=told["recording"],
            size=told["recording"].size,
            told_duration_ms=told["duration_ms"],
        )
        code = status.HTTP_201_CREATED if taken.is_new else status.HTTP_200_OK
        return Response(ClipSerializer(taken.clip).data, status=code)


class ClipView(ContributorView):
    @extend_schema(
        summary="One recording, with its report",
        operation_id="contributions_clips_get",
        tags=[TAG],
        responses=ClipSerializer,
    )
    def get(self, request: Request, clip_id: UUID) -> Response:
        return Response(ClipSerializer(own_clips.find(self.contributor, clip_id)).data)

    @extend_schema(
        summary="Delete a recording",
        operation_id="contributions_clips_delete",
        tags=[TAG],
        responses={204: OpenApiResponse(description="Its files are gone; what is on hold is taken back.")},
        extensions=_REFUSES_STATE,
    )
    def delete(self, request: Request, clip_id: UUID) -> Response:
        own_clips.delete(self.contributor, own_clips.find(self.contributor, clip_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ClipAudioView(ContributorView):
    @extend_schema(
        summary="Hear a recording of yours",
        operation_id="contributions_clips_audio",
        tags=[TAG],
        responses=_AUDIO,
    )
    def get(self, request: Request, clip_id: UUID) -> HttpResponseBase:
        sound = own_clips.sound_of(own_clips.find(self.contributor, clip_id))
        return serving.answer(request._request, sound)


class ListenView(ContributorView):
    @extend_schema(
        summary="Recordings of others to judge",
        operation_id="contributions_listen_list",
        tags=[TAG],
        responses=HeardClipSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response(HeardClipSerializer(hearing.queue(self.contributor), many=True).data)


class ListenAudioView(ContributorView):
    @extend_schema(
        summary="Hear a recording that you may judge",
        operation_id="contributions_listen_audio",
        tags=[TAG],
        responses=_AUDIO,
    )
    def get(self, request: Request, clip_id: UUID) -> HttpResponseBase:
        sound = own_clips.sound_of(hearing.find(self.contributor, clip_id))
        return serving.answer(request._request, sound)


class VotesView(ContributorView):
    parser_classes = [JSONParser]

    @extend_schema(
        summary="Judge a recording",
        operation_id="contributions_listen_vote",
        tags=[TAG],
        request=VoteSerializer,
        responses=VotedSerializer,
    )
    def post(self, request: Request, clip_id: UUID) -> Response:
        clip = hearing.find_to_judge(self.contributor, clip_id)
        form = VoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        state = deciding.vote(self.contributor, clip, is_valid=form.validated_data["vote"] == "valid")
        return Response(VotedSerializer({"state": state}).data)


class ClipReportsView(ContributorView):
    parser_classes = [JSONParser]

    @extend_schema(
        summary="Tell staff that something else is wrong with a recording",
        operation_id="contributions_listen_report",
        tags=[TAG],
        request=ClipReportSerializer,
        responses={204: OpenApiResponse(description="It is not played to you again.")},
    )
    def post(self, request: Request, clip_id: UUID) -> Response:
        clip = hearing.find_to_judge(self.contributor, clip_id)
        form = ClipReportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        hearing.report(self.contributor, clip, reason=form.validated_data["reason"])
        return Response(status=status.HTTP_204_NO_CONTENT)
