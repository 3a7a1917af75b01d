"""The rows of this room."""

from __future__ import annotations

from apps.deployments.models.deployments import NAME_PATTERN, Deployment, DeploymentEvent, DeploymentQuerySet
from apps.deployments.models.money import BillCheck, Budget, GpuPrice, Run
from apps.deployments.models.providers import Orphan, ProviderKey
from apps.deployments.models.workers import Demand, Sample, Worker

__all__ = [
    "NAME_PATTERN",
    "BillCheck",
    "Budget",
    "Demand",
    "Deployment",
    "DeploymentEvent",
    "DeploymentQuerySet",
    "GpuPrice",
    "Orphan",
    "ProviderKey",
    "Run",
    "Sample",
    "Worker",
]
