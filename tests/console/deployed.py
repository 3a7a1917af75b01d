"""Deployments as the platform knows them once they were ready."""

from __future__ import annotations

from django.utils import timezone

from apps.accounts.models import Organization
from apps.deployments.models import Deployment, Worker


def deployed(
    name: str,
    *,
    model: str,
    voices: list[str],
    organization: Organization | None = None,
    state: str = "ready",
    features: tuple[str, ...] = (),
) -> Deployment:
    """A deployment with one worker, ready where the deployment is; shared without an organization."""
    capabilities = {"models": [model], "voices": voices, "features": list(features), "max_batch": 1}
    deployment = Deployment.objects.create(
        organization=organization, name=name, engine="cpu", state=state, capabilities=capabilities
    )
    Worker.objects.create(
        deployment=deployment,
        provider_id=name,
        url="http://127.0.0.1:9",
        state="ready" if state == "ready" else "starting",
        last_seen_at=timezone.now(),
        capabilities=capabilities,
    )
    return deployment
