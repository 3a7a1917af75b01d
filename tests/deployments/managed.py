"""Deployments as the management API shows and takes them."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import Organization
from apps.deployments.models import Deployment
from apps.deployments.states import State
from tests.deployments.tables import deployment

PATH = "/api/deployments"
SECRET = "hunter2-of-acme"
FIELDS = {
    "id", "name", "engine", "kind", "provider", "state", "state_changed_at", "error",
    "image", "gpu", "gpu_count", "is_spot", "location", "environment", "secrets",
    "min_replicas", "max_replicas", "scale_up_delay_seconds", "scale_down_delay_seconds",
    "concurrent_per_replica", "replicas", "price_per_hour", "cost", "models", "voices", "languages",
    "last_used_at", "created_at",
}  # fmt: skip
STEPS = ("start", "stop", "pause", "resume", "restart", "sleep", "wake")


def remote(organization: Organization, name: str = "one", **fields: Any) -> Deployment:
    """A container at Verda with an image, a variable and a secret of its own."""
    defaults: dict[str, Any] = {
        "provider": "verda",
        "kind": "serverless",
        "engine": "chatterbox",
        "image": "ghcr.io/acme/speech:1.0",
        "gpu": "a100-40gb",
        "environment": {"LEVEL": "info", "REGION": "north"},
        "min_replicas": 0,
        "max_replicas": 3,
    }
    made = deployment(name, organization=organization, **defaults | fields)
    made.keep_secrets({"HUB_TOKEN": SECRET, "OTHER": "other-of-acme"})
    made.save()
    return made


def path_of(made: Deployment, step: str = "") -> str:
    return f"{PATH}/{made.pk}/{step}" if step else f"{PATH}/{made.pk}"


def one_in(organization: Organization, state: State, name: str = "one") -> Deployment:
    why = {"error_code": "no", "error_message": "The provider says no."} if state == State.FAILED else {}
    return deployment(name, organization=organization, state=state, **why)
