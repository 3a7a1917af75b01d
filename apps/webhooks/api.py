"""`/api/webhooks`: endpoints, their deliveries, and the catalogue of events."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of, person_of
from apps.webhooks import catalogue, listing, recovery, services
from apps.webhooks.models import Delivery, Endpoint
from apps.webhooks.serializers import (
    ChangedEndpointSerializer,
    DeliveriesQuerySerializer,
    DeliverySerializer,
    EndpointSerializer,
    EventTypesSerializer,
    IssuedSecretSerializer,
    NewEndpointSerializer,
    RecoveredSerializer,
    RecoverSerializer,
    RotateSecretSerializer,
    TestEventSerializer,
    WholeDeliverySerializer,
)

# What the schema cannot tell from what an operation takes.
_REFUSES_STATE = {"x-refuses": [409]}

_Form = TypeVar("_Form", bound=serializers.Serializer[Any])


def _told(form: type[_Form], request: Request) -> dict[str, Any]:
    asked = form(data=request.data)
    asked.is_valid(raise_exception=True)
    told: dict[str, Any] = asked.validated_data
    return told


def _endpoint(request: Request, endpoint_id: UUID) -> Endpoint:
    return listing.endpoint(organization_of(request), endpoint_id)


def _shown(request: Request, endpoint_id: UUID) -> Response:
    """As it is now, whatever was done to it."""
    return Response(EndpointSerializer(_endpoint(request, endpoint_id)).data)


def _issued(request: Request, issued: services.IssuedSecret) -> Response:
    body = dict(EndpointSerializer(_endpoint(request, issued.endpoint.pk)).data) | {"secret": issued.secret}
    return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


def _delivery(request: Request, delivery_id: UUID) -> Delivery:
    return recovery.delivery_of(organization_of(request), delivery_id)


# ---- endpoints ---------------------------------------------------------------------------------------


@extend_schema_view(
    get=extend_schema(
        summary="List endpoints",
        description=f"Newest first; there are {services.MAX_ENDPOINTS} at most.",
        operation_id="webhooks_list",
    )
)
class EndpointsView(generics.ListAPIView[Endpoint]):
    serializer_class = EndpointSerializer
    queryset = Endpoint.objects.none()

    def get_queryset(self) -> Any:
        return listing.endpoints(organization_of(self.request))

    @extend_schema(
        summary="Add an endpoint",
        description="Its secret is in this answer and never shown again.",
        operation_id="webhooks_create",
        request=NewEndpointSerializer,
        responses={201: IssuedSecretSerializer},
    )
    def post(self, request: Request) -> Response:
        told = _told(NewEndpointSerializer, request)
        issued = services.create_endpoint(
            organization=organization_of(request), created_by=person_of(request), **told
        )
        return _issued(request, issued)


class EndpointView(APIView):
    @extend_schema(summary="One endpoint", operation_id="webhooks_get", responses=EndpointSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        return _shown(request, endpoint_id)

    @extend_schema(
        summary="Change an endpoint",
        description="Holds for what is sent from now on, also of events that wait already.",
        operation_id="webhooks_change",
        request=ChangedEndpointSerializer,
        responses=EndpointSerializer,
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        endpoint = _endpoint(request, endpoint_id)
        services.change_endpoint(endpoint=endpoint, **_told(ChangedEndpointSerializer, request))
        return _shown(request, endpoint_id)

    @extend_schema(
        summary="Delete an endpoint",
        operation_id="webhooks_delete",
        responses={204: OpenApiResponse(description="Nothing is sent there any more, and its log is gone.")},
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        services.delete_endpoint(endpoint=_endpoint(request, endpoint_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class EnableView(APIView):
    @extend_schema(
        summary="Enable an endpoint",
        description="What waited for it is sent at once. What happened meanwhile is not: recover it.",
        operation_id="webhooks_enable",
        request=None,
        responses=EndpointSerializer,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        services.enable_endpoint(endpoint=_endpoint(request, endpoint_id))
        return _shown(request, endpoint_id)


class DisableView(APIView):
    @extend_schema(
        summary="Disable an endpoint",
        description="What waits for it is kept, what happens from now on is not queued.",
        operation_id="webhooks_disable",
        request=None,
        responses=EndpointSerializer,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        services.disable_endpoint(endpoint=_endpoint(request, endpoint_id))
        return _shown(request, endpoint_id)


class RotateView(APIView):
    @extend_schema(
        summary="Rotate an endpoint's secret",
        description="Until the overlap is over, each request carries a signature of either secret.",
        operation_id="webhooks_rotate",
        request=RotateSecretSerializer,
        responses={201: IssuedSecretSerializer},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        endpoint = _endpoint(request, endpoint_id)
        told = _told(RotateSecretSerializer, request)
        return _issued(request, services.rotate_secret(endpoint=endpoint, **told))


class TestEventView(APIView):
    @extend_schema(
        summary="Send a test event",
        description="The example of that kind, marked as a test, to this endpoint alone.",
        operation_id="webhooks_test",
        request=TestEventSerializer,
        responses={202: DeliverySerializer},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        endpoint = _endpoint(request, endpoint_id)
        sent = recovery.send_test(endpoint, _told(TestEventSerializer, request)["type"])
        delivery = _delivery(request, sent.pk)
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)


class RecoverView(APIView):
    @extend_schema(
        summary="Send again what failed",
        description="All of it since a moment; with include_missing also what was never queued.",
        operation_id="webhooks_recover",
        request=RecoverSerializer,
        responses={202: RecoveredSerializer},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        endpoint = _endpoint(request, endpoint_id)
        count = recovery.recover(endpoint, **_told(RecoverSerializer, request))
        return Response({"count": count}, status=status.HTTP_202_ACCEPTED)


# ---- deliveries --------------------------------------------------------------------------------------


@extend_schema_view(
    get=extend_schema(
        summary="List an endpoint's deliveries",
        description="Newest first, by when their events happened.",
        operation_id="webhooks_deliveries",
        parameters=[DeliveriesQuerySerializer],
    )
)
class DeliveriesView(generics.ListAPIView[Delivery]):
    serializer_class = DeliverySerializer
    queryset = Delivery.objects.none()

    def get_queryset(self) -> Any:
        organization = organization_of(self.request)
        endpoint = listing.endpoint(organization, self.kwargs["endpoint_id"])
        query = DeliveriesQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        told = dict(query.validated_data)
        told["event_type"] = told.pop("type", "")
        found = listing.deliveries(organization, endpoint=endpoint, **told)
        return found.select_related("event").defer("event__body")


def _whole(delivery: Delivery) -> Response:
    delivery.log = listing.attempts(delivery)  # type: ignore[attr-defined]
    return Response(WholeDeliverySerializer(delivery).data)


class DeliveryView(APIView):
    @extend_schema(
        summary="One delivery",
        description="With what is sent, and every attempt.",
        operation_id="webhooks_delivery",
        responses=WholeDeliverySerializer,
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        return _whole(_delivery(request, delivery_id))


class _Step(Protocol):
    def __call__(self, delivery: Delivery, /) -> None: ...


class _DeliveryStepView(APIView):
    step: ClassVar[_Step]

    def post(self, request: Request, delivery_id: UUID) -> Response:
        delivery = _delivery(request, delivery_id)
        type(self).step(delivery)
        return Response(DeliverySerializer(_delivery(request, delivery_id)).data)


def _described(name: str, summary: str, description: str) -> Any:
    return extend_schema_view(
        post=extend_schema(
            summary=summary,
            description=description,
            operation_id=f"webhooks_{name}",
            request=None,
            responses=DeliverySerializer,
            extensions=_REFUSES_STATE,
        )
    )


@_described(
    "resend",
    "Send an event again",
    "At once, and by the whole schedule, whatever came of it before; under the same webhook-id.",
)
class ResendView(_DeliveryStepView):
    step = staticmethod(recovery.resend)


@_described(
    "cancel", "Cancel a delivery", "It is not attempted any more; an attempt under way may still arrive."
)
class CancelView(_DeliveryStepView):
    step = staticmethod(recovery.cancel)


# ---- the catalogue -----------------------------------------------------------------------------------


class EventTypesView(APIView):
    @extend_schema(
        summary="Every kind of event",
        description="What each means, its JSON Schema, and an example.",
        operation_id="webhooks_events",
        responses=EventTypesSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(EventTypesSerializer({"results": catalogue.every_type()}).data)
