"""All that is used of Verda's own SDK, which is untyped. Its transport is not: it has no timeouts,
no retries, and loses the status of a refusal."""

from __future__ import annotations

from verda.authentication import AuthenticationService  # type: ignore[import-untyped, unused-ignore]
from verda.containers import (  # type: ignore[import-untyped, unused-ignore]
    ComputeResource,
    Container,
    ContainerRegistryCredentials,
    ContainerRegistrySettings,
    Deployment,
    EntrypointOverridesSettings,
    EnvVar,
    EnvVarType,
    GeneralStorageMount,
    HealthcheckSettings,
    QueueLoadScalingTrigger,
    ScalingOptions,
    ScalingPolicy,
    ScalingTriggers,
    SharedFileSystemMount,
    UtilizationScalingTrigger,
)
from verda.containers._containers import MemoryMount  # type: ignore[import-untyped, unused-ignore]
from verda.helpers import strip_none_values  # type: ignore[import-untyped, unused-ignore]
from verda.instances import OSVolume  # type: ignore[import-untyped, unused-ignore]

__all__ = [
    "AuthenticationService",
    "ComputeResource",
    "Container",
    "ContainerRegistryCredentials",
    "ContainerRegistrySettings",
    "Deployment",
    "EntrypointOverridesSettings",
    "EnvVar",
    "EnvVarType",
    "GeneralStorageMount",
    "HealthcheckSettings",
    "MemoryMount",
    "OSVolume",
    "QueueLoadScalingTrigger",
    "ScalingOptions",
    "ScalingPolicy",
    "ScalingTriggers",
    "SharedFileSystemMount",
    "UtilizationScalingTrigger",
    "strip_none_values",
]
