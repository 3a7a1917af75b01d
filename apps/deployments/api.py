"""`/api/deployments`: list, make, change, delete, and the steps between; `/api/gpus`."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of
from apps.accounts.models import User
from apps.deployments import costs, demand, offers, samples, services, steps
from apps.deployments.changes import change_deployment
from apps.deployments.gpu_serializers import GpusSerializer
from apps.deployments.listing import find_listed, listed_deployments, listed_events, listed_workers
from apps.deployments.models import Deployment, DeploymentEvent
from apps.deployments.serializers import (
    ChangedDeploymentSerializer,
    DeploymentEventSerializer,
    DeploymentSerializer,
    DeploymentsQuerySerializer,
    MetricsSerializer,
    NewDeploymentSerializer,
)
from apps.deployments.timeline import Actor, ByKey
from apps.keys.identity import Identity

# What the schema cannot tell from what an operation takes.

SAMPLED_MINUTES = 60
_REFUSES_STATE = {"x-refuses": [409]}
_REFUSES_START = {"x-refuses": [402, 409]}


def actor_of(request: Request) -> Actor:
    """Who asks: a key, or a signed-in person."""
    if isinstance(request.auth, Identity):
        return ByKey(request.auth.key_prefix)
    return request.user if isinstance(request.user, User) else None


def _found(request: Request, deployment_id: UUID) -> Deployment:
    return find_listed(organization_of(request), deployment_id)


def _shown(request: Request, deployment_id: UUID, *, status_code: int = status.HTTP_200_OK) -> Response:
    """As it is now, whatever was done to it."""
    [deployment] = costs.with_spending([_found(request, deployment_id)])
    return Response(DeploymentSerializer(deployment).data, status=status_code)


@extend_schema_view(
    get=extend_schema(
        summary="List deployments",
        description="Your own, newest first; not those of the platform that everybody speaks by.",
        operation_id="deployments_list",
        parameters=[DeploymentsQuerySerializer],
    )
)
class DeploymentsView(generics.ListAPIView[Deployment]):
    serializer_class = DeploymentSerializer
    queryset = Deployment.objects.none()

    def get_queryset(self) -> Any:
        query = DeploymentsQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return listed_deployments(organization_of(self.request), **query.validated_data)

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        return costs.with_spending(super().paginate_queryset(queryset) or ())

    @extend_schema(
        summary="Make a deployment",
        description="Answers at once; the deployment's state tells how far it is.",
        operation_id="deployments_create",
        request=NewDeploymentSerializer,
        responses={201: DeploymentSerializer},
        extensions=_REFUSES_START,
    )
    def post(self, request: Request) -> Response:
        form = NewDeploymentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        provider = offers.check_provider(told.get("provider", ""))
        offers.check_engine(told["engine"], provider)
        deployment = services.create_deployment(
            organization=organization_of(request),
            name=told["name"],
            engine=told["engine"],
            provider=provider,
            kind=told["kind"],
            scaling=form.scaling,
            hardware=form.hardware,
            by=actor_of(request),
        )
        return _shown(request, deployment.pk, status_code=status.HTTP_201_CREATED)


class DeploymentView(APIView):
    @extend_schema(summary="One deployment", operation_id="deployments_get", responses=DeploymentSerializer)
    def get(self, request: Request, deployment_id: UUID) -> Response:
        return _shown(request, deployment_id)

    @extend_schema(
        summary="Change a deployment",
        description=(
            "Bounds and delays hold at once. Another image, environment or secret replaces its workers: "
            "new ones are ready before the old ones end."
        ),
        operation_id="deployments_change",
        request=ChangedDeploymentSerializer,
        responses=DeploymentSerializer,
    )
    def patch(self, request: Request, deployment_id: UUID) -> Response:
        deployment = _found(request, deployment_id)
        form = ChangedDeploymentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        change_deployment(deployment, changes=form.validated_data, by=actor_of(request))
        return _shown(request, deployment_id)

    @extend_schema(
        summary="Delete a deployment",
        operation_id="deployments_delete",
        responses={
            204: OpenApiResponse(
                description="What is being spoken is spoken to its end, then nothing is left of it."
            )
        },
        extensions=_REFUSES_STATE,
    )
    def delete(self, request: Request, deployment_id: UUID) -> Response:
        services.delete_deployment(_found(request, deployment_id), by=actor_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


# ---- steps -------------------------------------------------------------------------------------------


class _Step(Protocol):
    def __call__(self, deployment: Deployment, *, by: Actor) -> None: ...


class _StepView(APIView):
    step: ClassVar[_Step]

    def post(self, request: Request, deployment_id: UUID) -> Response:
        type(self).step(_found(request, deployment_id), by=actor_of(request))
        return _shown(request, deployment_id)


def _described(
    name: str, summary: str, description: str = "", *, refuses: dict[str, list[int]] = _REFUSES_STATE
) -> Any:
    return extend_schema_view(
        post=extend_schema(
            summary=summary,
            description=description,
            operation_id=f"deployments_{name}",
            request=None,
            responses=DeploymentSerializer,
            extensions=refuses,
        )
    )


@_described(
    "start",
    "Start a deployment",
    "One that is stopped, has failed, sleeps or is paused.",
    refuses=_REFUSES_START,
)
class StartView(_StepView):
    step = staticmethod(services.start_deployment)


@_described("stop", "Stop a deployment", "What is being spoken is spoken to its end first.")
class StopView(_StepView):
    step = staticmethod(services.stop_deployment)


@_described("pause", "Pause a deployment", "It runs nothing until it is resumed, whatever is asked of it.")
class PauseView(_StepView):
    step = staticmethod(services.pause_deployment)


@_described("resume", "Resume a deployment", "One that is paused.", refuses=_REFUSES_START)
class ResumeView(_StepView):
    step = staticmethod(steps.resume)


@_described("restart", "Restart a deployment", "Every worker is replaced by a new one.")
class RestartView(_StepView):
    step = staticmethod(services.restart_deployment)


@_described("sleep", "Put a deployment to sleep", "It runs nothing until a request wakes it.")
class SleepView(_StepView):
    step = staticmethod(services.sleep_deployment)


@_described(
    "wake",
    "Wake a deployment",
    "One that sleeps; a request that it could speak does the same.",
    refuses=_REFUSES_START,
)
class WakeView(_StepView):
    step = staticmethod(steps.wake)


# ---- what is and was ---------------------------------------------------------------------------------


@extend_schema_view(
    get=extend_schema(
        summary="What happened to a deployment, newest first", operation_id="deployments_events"
    )
)
class EventsView(generics.ListAPIView[DeploymentEvent]):
    serializer_class = DeploymentEventSerializer
    queryset = DeploymentEvent.objects.none()

    def get_queryset(self) -> Any:
        return listed_events(_found(self.request, self.kwargs["deployment_id"]))


class MetricsView(APIView):
    @extend_schema(
        summary="What a deployment does now",
        description="What was spoken, and how fast, is told by `/api/usage` and `/api/stats`.",
        operation_id="deployments_metrics",
        responses=MetricsSerializer,
    )
    def get(self, request: Request, deployment_id: UUID) -> Response:
        deployment = _found(request, deployment_id)
        body = {
            "replicas": deployment,
            "requests": demand.told_lately(deployment, timezone.now()),
            "last_used_at": deployment.last_used_at,
            "cost": costs.of_deployment(deployment),
            "workers": listed_workers(deployment),
            "samples": samples.recent(deployment.pk, minutes=SAMPLED_MINUTES),
        }
        return Response(MetricsSerializer(body).data)


class GpusView(APIView):
    @extend_schema(summary="GPUs and their prices", operation_id="gpus", responses=GpusSerializer)
    def get(self, request: Request) -> Response:
        body = {
            "mode": offers.mode(),
            "providers": offers.offered_providers(),
            "gpus": offers.gpu_offers(),
        }
        return Response(GpusSerializer(body).data)
