"""What the console's pages show beside an organization's own deployments."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count

from apps.accounts.models import Organization
from apps.deployments.models import Deployment, DeploymentQuerySet

_SUGGESTED_NAME = "speech"


def listed_shared() -> DeploymentQuerySet:
    """Those of the platform, by name."""
    shared: DeploymentQuerySet = Deployment.objects.shared().kept().order_by("name")
    return shared


@dataclass(frozen=True, slots=True)
class Spoken:
    """A model and a voice that a deployment speaks."""

    model: str
    voice: str


def spoken_by(deployment: Deployment) -> Spoken | None:
    """The first of what its workers said when last asked, if they ever were."""
    models, voices = (deployment.capabilities.get(name) for name in ("models", "voices"))
    return Spoken(models[0], voices[0]) if models and voices else None


def suggest_name(organization: Organization) -> str:
    """One that is free: speech, speech-2, and so on."""
    taken = set(
        Deployment.objects.for_organization(organization)
        .filter(deleted_at=None, name__startswith=_SUGGESTED_NAME)
        .values_list("name", flat=True)
    )
    names = chain([_SUGGESTED_NAME], (f"{_SUGGESTED_NAME}-{number}" for number in count(2)))
    return next(name for name in names if name not in taken)
