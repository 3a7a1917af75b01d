"""The deployments an organization sees: its own, filtered, the same for pages and API."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Membership, Organization
from apps.core.errors import NotFound
from apps.deployments.models import Deployment, DeploymentEvent, DeploymentQuerySet, Worker


def listed_deployments(
    organization: Organization, *, search: str = "", state: str = "", engine: str = ""
) -> DeploymentQuerySet:
    """Newest first, each with how many `ready_replicas` it has; the shared ones are nobody's own."""
    ready = Count("workers", filter=Q(workers__state=Worker.State.READY))
    own = Deployment.objects.for_organization(organization).kept()
    # Named: Django leaves a model's own order out where it counts.
    deployments: DeploymentQuerySet = own.annotate(ready_replicas=ready).order_by("-id")
    if search:
        deployments = deployments.filter(name__icontains=search)
    if state:
        deployments = deployments.filter(state=state)
    if engine:
        deployments = deployments.filter(engine=engine)
    return deployments


def find_listed(organization: Organization, deployment_id: UUID) -> Deployment:
    """Raises `NotFound`."""
    deployment: Deployment | None = listed_deployments(organization).filter(pk=deployment_id).first()
    if deployment is None:
        raise NotFound("There is no such deployment.")
    return deployment


def listed_events(deployment: Deployment) -> QuerySet[DeploymentEvent]:
    """Its timeline, newest first; `actor_is_member` tells its organization's people from others."""
    member = Membership.objects.filter(user=OuterRef("actor"), organization=deployment.organization_id)
    events: QuerySet[DeploymentEvent] = deployment.events.order_by("-id")
    return events.select_related("actor").annotate(actor_is_member=Exists(member))


def listed_workers(deployment: Deployment) -> QuerySet[Worker]:
    """Its replicas, oldest first, those excepted that are lost; without what opens them."""
    workers: QuerySet[Worker] = deployment.workers.exclude(state=Worker.State.LOST)
    return workers.defer("token", "url", "capabilities", "message")
