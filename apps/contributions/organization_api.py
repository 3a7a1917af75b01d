"""`/api/contributions/organization`: how far the campaigns of one's organization are."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of
from apps.contributions.models import Campaign
from apps.contributions.serializers import OwnedCampaignSerializer
from apps.core.errors import NotFound

TAG = "campaigns"


@extend_schema_view(
    get=extend_schema(
        summary="Your campaigns, with their progress", operation_id="campaigns_list", tags=[TAG]
    )
)
class OwnedCampaignsView(generics.ListAPIView[Campaign]):
    serializer_class = OwnedCampaignSerializer
    queryset = Campaign.objects.none()

    def get_queryset(self) -> QuerySet[Campaign]:
        return Campaign.objects.for_organization(organization_of(self.request))


class OwnedCampaignView(APIView):
    @extend_schema(
        summary="One campaign of yours, with its progress",
        operation_id="campaigns_get",
        tags=[TAG],
        responses=OwnedCampaignSerializer,
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        campaign = Campaign.objects.for_organization(organization_of(request)).filter(pk=campaign_id).first()
        if campaign is None:
            raise NotFound("There is no such campaign.")
        return Response(OwnedCampaignSerializer(campaign).data)
