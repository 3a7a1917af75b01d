"""`/api/history`: list and search, one with a link to its audio, delete one or all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of
from apps.core import media
from apps.core.errors import InvalidRequest, NotFound
from apps.tts.history import items
from apps.tts.history.listing import HistoryFilterSerializer, listed
from apps.tts.history.models import HistoryItem

_LINK: Final = timedelta(hours=1)


class HistoryItemSerializer(serializers.ModelSerializer[HistoryItem]):
    content_type = serializers.CharField(read_only=True, help_text="Of the audio as it is kept.")
    created_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = HistoryItem
        fields = [
            "id",
            "request_id",
            "mode",
            "surface",
            "key_id",
            "model",
            "voice",
            "format",
            "options",
            "text",
            "characters",
            "audio_ms",
            "size_bytes",
            "content_type",
            "created_at",
            "expires_at",
        ]
        read_only_fields = fields


class HeardHistoryItemSerializer(HistoryItemSerializer):
    audio_url = serializers.SerializerMethodField(help_text="Fetches the audio without a key.")
    audio_url_expires_at = serializers.SerializerMethodField()

    class Meta(HistoryItemSerializer.Meta):
        fields = [*HistoryItemSerializer.Meta.fields, "audio_url", "audio_url_expires_at"]
        read_only_fields = fields

    def get_audio_url(self, item: HistoryItem) -> str | None:
        if not item.has_audio:
            return None
        return media.signed_link(
            item.media_key,
            expires_seconds=int(_LINK.total_seconds()),
            filename=item.filename,
            content_type=item.content_type,
        )

    def get_audio_url_expires_at(self, item: HistoryItem) -> datetime | None:
        return timezone.now() + _LINK if item.has_audio else None


class DeleteAllSerializer(serializers.Serializer[Any]):
    confirm = serializers.ChoiceField(choices=["all"], help_text="`all`: there is no way back.")


class DeletedSerializer(serializers.Serializer[Any]):
    deleted = serializers.IntegerField()


class HistoryView(generics.ListAPIView[HistoryItem]):
    serializer_class = HistoryItemSerializer
    queryset = HistoryItem.objects.none()

    def get_queryset(self) -> Any:
        form = HistoryFilterSerializer(data=self.request.query_params)
        form.is_valid(raise_exception=True)
        return listed(organization_of(self.request), **form.validated_data)

    @extend_schema(
        summary="Kept requests, newest first",
        operation_id="history_list",
        parameters=[HistoryFilterSerializer],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        summary="Delete the whole history",
        operation_id="history_delete_all",
        parameters=[DeleteAllSerializer],
        responses={200: DeletedSerializer},
    )
    def delete(self, request: Request) -> Response:
        form = DeleteAllSerializer(data=request.query_params)
        if not form.is_valid():
            raise InvalidRequest("Deleting the whole history takes confirm=all.", param="confirm")
        return Response({"deleted": items.delete_all(organization=organization_of(request))})


class HistoryItemView(APIView):
    @extend_schema(
        summary="One kept request, with a link to its audio",
        operation_id="history_get",
        responses=HeardHistoryItemSerializer,
    )
    def get(self, request: Request, item_id: str) -> Response:
        return Response(HeardHistoryItemSerializer(_item_or_404(request, item_id)).data)

    @extend_schema(
        summary="Delete a kept request",
        operation_id="history_delete",
        responses={204: OpenApiResponse(description="Text and audio are gone.")},
    )
    def delete(self, request: Request, item_id: str) -> Response:
        items.delete_item(item=_item_or_404(request, item_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _item_or_404(request: Request, item_id: str) -> HistoryItem:
    item: HistoryItem | None = HistoryItem.objects.shown(organization_of(request)).filter(pk=item_id).first()
    if item is None:
        raise NotFound("There is no such request in the history.")
    return item
