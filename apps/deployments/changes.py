"""A change of some of what a deployment is made of: whatever is left out stays as it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.core.errors import Conflict
from apps.deployments import services
from apps.deployments.models import Deployment
from apps.deployments.services import SCALING_FIELDS
from apps.deployments.specification import Hardware, Scaling
from apps.deployments.timeline import Actor

Variables = Mapping[str, str | None]


@transaction.atomic
def change_deployment(deployment: Deployment, *, changes: Mapping[str, Any], by: Actor = None) -> None:
    """All of it or nothing; what is so already is no change, and replaces no worker.

    `changes` are fields of `Scaling`, an `image`, and `environment` and `secrets`, which are merged by name:
    None removes one. Raises `InvalidRequest`, and `Conflict` for one that was deleted.
    """
    # Locked: of two changes to its secrets at the same moment, neither undoes the other.
    current = Deployment.objects.select_for_update().get(pk=deployment.pk)
    if current.deleted_at is not None:
        raise Conflict(f"{current.name} was deleted.", code="deleted")
    hardware, scaling = hardware_of(current), scaling_of(current)
    new_hardware = _changed_hardware(hardware, changes)
    new_scaling = dataclasses.replace(
        scaling, **{name: changes[name] for name in SCALING_FIELDS if name in changes}
    )
    if new_scaling != scaling:
        services.scale_deployment(current, scaling=new_scaling, by=by)
    if new_hardware != hardware:
        services.update_deployment(current, hardware=new_hardware, by=by)


def scaling_of(deployment: Deployment) -> Scaling:
    return Scaling(**{name: getattr(deployment, name) for name in SCALING_FIELDS})


def hardware_of(deployment: Deployment) -> Hardware:
    return Hardware(
        image=deployment.image,
        gpu=deployment.gpu,
        gpu_count=deployment.gpu_count,
        is_spot=deployment.is_spot,
        location=deployment.location,
        environment=deployment.environment,
        secrets=deployment.secret_values,
    )


def _changed_hardware(hardware: Hardware, changes: Mapping[str, Any]) -> Hardware:
    return dataclasses.replace(
        hardware,
        image=changes.get("image", hardware.image),
        environment=_merged(hardware.environment, changes.get("environment", {})),
        secrets=_merged(hardware.secrets, changes.get("secrets", {})),
    )


def _merged(values: Mapping[str, str], changes: Variables) -> dict[str, str]:
    merged = {**values, **changes}
    return {name: value for name, value in merged.items() if value is not None}
