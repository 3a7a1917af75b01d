"""`…/campaigns/{id}/releases`: the data sets of one's organization's campaigns, and links to their files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of
from apps.contributions.models import Campaign, Release
from apps.contributions.releasing import services
from apps.core.errors import NotFound

TAG = "campaigns"


class ReleaseFileSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="In hexadecimal.")


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    state = serializers.ChoiceField(choices=Release.State.choices, read_only=True)
    clips = serializers.IntegerField(source="clips_count", read_only=True)
    removed_ids = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Of the version before, withdrawn since."
    )
    files = ReleaseFileSerializer(many=True, read_only=True)
    files_gone_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="When its files were removed, since somebody in it withdrew: take the next version.",
    )

    class Meta:
        model = Release
        fields = [
            "id",
            "version",
            "state",
            "clips",
            "notes",
            "steps_done",
            "steps_total",
            "problem",
            "removed_ids",
            "files",
            "frozen_at",
            "ready_at",
            "files_gone_at",
        ]
        read_only_fields = fields


class ReleaseLinkSerializer(ReleaseFileSerializer):
    url = serializers.URLField(help_text="Fetch it without a key; it ends at `expires_at`.")
    expires_at = serializers.DateTimeField()


def _releases(request: Request, campaign_id: UUID) -> QuerySet[Release]:
    """Raises `NotFound` for a campaign of somebody else."""
    campaign = Campaign.objects.for_organization(organization_of(request)).filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return Release.objects.filter(campaign=campaign).order_by("-version")


@extend_schema_view(
    get=extend_schema(
        summary="List the releases of a campaign",
        description="Newest first. Staff of the platform make them; `release.ready` tells of each.",
        operation_id="campaigns_releases_list",
        tags=[TAG],
    )
)
class ReleasesView(generics.ListAPIView[Release]):
    serializer_class = ReleaseSerializer
    queryset = Release.objects.none()

    def get_queryset(self) -> QuerySet[Release]:
        return _releases(self.request, self.kwargs["campaign_id"])


class ReleaseLinksView(APIView):
    @extend_schema(
        summary="Links to the files of a release",
        description="Made anew with each call, for an hour.",
        operation_id="campaigns_releases_links",
        tags=[TAG],
        responses=ReleaseLinkSerializer(many=True),
        extensions={"x-refuses": [409]},
    )
    def get(self, request: Request, campaign_id: UUID, version: int) -> Response:
        release = _releases(request, campaign_id).filter(version=version).first()
        if release is None:
            raise NotFound("There is no such release.")
        links = services.links_of(release)
        return Response(ReleaseLinkSerializer(links, many=True).data, headers={"Cache-Control": "no-store"})
