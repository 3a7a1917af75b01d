"""`/api/keys`: list, issue, change, rotate, revoke."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of, person_of
from apps.core.errors import NotFound
from apps.keys import services
from apps.keys.models import ApiKey
from apps.keys.restrictions import MAX_ENTRIES, MAX_NAME, MAX_NETWORK, MAX_ORIGIN, MAXIMA, NAMES


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    state = serializers.ChoiceField(choices=ApiKey.State.choices, read_only=True)

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "mode",
            "prefix",
            "last4",
            "scopes",
            "state",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "created_at",
            *NAMES,
        ]
        read_only_fields = fields


class IssuedKeySerializer(KeySerializer):
    key = serializers.CharField(read_only=True, help_text="The whole key, shown this once.")

    class Meta(KeySerializer.Meta):
        fields = [*KeySerializer.Meta.fields, "key"]
        read_only_fields = fields


def _limit(name: str, help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAXIMA[name],
        help_text=f"{help_text} Null: the organization's limit alone.",
    )


def _list(max_length: int, help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=max_length),
        required=False,
        max_length=MAX_ENTRIES,
        help_text=help_text,
    )


class RestrictionsSerializer(serializers.Serializer[Any]):
    """What a key may do beside its scopes; what is left out stays as it is."""

    requests_per_minute = _limit("requests_per_minute", "Requests a minute.")
    concurrent_requests = _limit("concurrent_requests", "Requests at once.")
    characters_per_month = _limit("characters_per_month", "Characters charged in a UTC month.")
    characters_per_request = _limit("characters_per_request", "Characters of one text.")
    allowed_voices = _list(MAX_NAME, "Voices it may speak with, by name or id. Empty: any.")
    allowed_ips = _list(MAX_NETWORK, "Addresses and networks (CIDR) it may be used from. Empty: any.")
    allowed_origins = _list(
        MAX_ORIGIN, "Sites whose pages may use it, such as https://app.example.com. Empty: none."
    )


class ChangedKeySerializer(RestrictionsSerializer):
    name = serializers.CharField(required=False, max_length=80)


class NewKeySerializer(RestrictionsSerializer):
    name = serializers.CharField(max_length=80)
    mode = serializers.ChoiceField(choices=ApiKey.Mode.choices, default=ApiKey.Mode.LIVE)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=ApiKey.Scope.choices),
        default=lambda: [ApiKey.Scope.SPEECH],
        allow_empty=False,
        max_length=2,
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class RotateSerializer(serializers.Serializer[Any]):
    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=services.MAX_OVERLAP_SECONDS,
        default=24 * 3600,
        help_text="How long the old key works on.",
    )


def _issued(issued: services.IssuedKey) -> Response:
    body = dict(KeySerializer(issued.key).data) | {"key": issued.secret}
    return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


def _key_or_404(request: Request, key_id: str) -> ApiKey:
    key: ApiKey | None = ApiKey.objects.for_organization(organization_of(request)).filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


@extend_schema_view(get=extend_schema(summary="List keys", operation_id="keys_list"))
class KeysView(generics.ListAPIView[ApiKey]):
    serializer_class = KeySerializer
    queryset = ApiKey.objects.none()

    def get_queryset(self) -> Any:
        return ApiKey.objects.for_organization(organization_of(self.request))

    @extend_schema(
        summary="Issue a key",
        operation_id="keys_create",
        request=NewKeySerializer,
        responses={201: IssuedKeySerializer},
    )
    def post(self, request: Request) -> Response:
        form = NewKeySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return _issued(
            services.issue_key(
                organization=organization_of(request), created_by=person_of(request), **form.validated_data
            )
        )


class KeyView(APIView):
    @extend_schema(summary="One key", operation_id="keys_get", responses=KeySerializer)
    def get(self, request: Request, key_id: str) -> Response:
        return Response(KeySerializer(_key_or_404(request, key_id)).data)

    @extend_schema(
        summary="Change a key's name or restrictions",
        operation_id="keys_change",
        request=ChangedKeySerializer,
        responses=KeySerializer,
    )
    def patch(self, request: Request, key_id: str) -> Response:
        key = _key_or_404(request, key_id)
        form = ChangedKeySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.restrict_key(key=key, by=person_of(request), **form.validated_data)
        return Response(KeySerializer(key).data)

    @extend_schema(
        summary="Revoke a key",
        operation_id="keys_revoke",
        responses={204: OpenApiResponse(description="Revoked, everywhere, at once.")},
    )
    def delete(self, request: Request, key_id: str) -> Response:
        services.revoke_key(key=_key_or_404(request, key_id), by=person_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RotateKeyView(APIView):
    @extend_schema(
        summary="Rotate a key",
        operation_id="keys_rotate",
        request=RotateSerializer,
        responses={201: IssuedKeySerializer},
    )
    def post(self, request: Request, key_id: str) -> Response:
        form = RotateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return _issued(
            services.rotate_key(
                key=_key_or_404(request, key_id), by=person_of(request), **form.validated_data
            )
        )
