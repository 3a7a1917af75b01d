"""Bodies of requests, by the SDK's dataclasses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from apps.deployments.providers.verda import sdk
from apps.deployments.providers.verda.types import (
    ContainerSpec,
    EnvironmentVariable,
    InstanceSpec,
    MemoryMount,
    Mount,
    Scaling,
    ScratchMount,
)

Payload = dict[str, Any]


def container_deployment(spec: ContainerSpec) -> Payload:
    credentials = (
        sdk.ContainerRegistryCredentials(name=spec.registry_credentials)
        if spec.registry_credentials
        else None
    )
    deployment = sdk.Deployment(
        name=spec.name,
        containers=[_container(spec)],
        compute=sdk.ComputeResource(name=spec.compute_name, size=spec.compute_size),
        container_registry_settings=sdk.ContainerRegistrySettings(
            is_private=credentials is not None, credentials=credentials
        ),
        is_spot=spec.is_spot,
        scaling=_scaling(spec.scaling),
    )
    return _body(deployment)


def scaling(wanted: Scaling) -> Payload:
    return _body(_scaling(wanted))


def environment(container_name: str, variables: Iterable[EnvironmentVariable]) -> Payload:
    return {
        "container_name": container_name,
        "env": [_body(_variable(variable)) for variable in variables],
    }


def instance(spec: InstanceSpec) -> Payload:
    volume = sdk.OSVolume(
        name=spec.os_volume_name,
        size=spec.os_volume_size_gb,
        on_spot_discontinue=spec.on_spot_discontinue if spec.is_spot else None,
    )
    return {
        "instance_type": spec.instance_type,
        "image": spec.image,
        "ssh_key_ids": list(spec.ssh_key_ids),
        "startup_script_id": spec.startup_script_id,
        "hostname": spec.hostname,
        "description": spec.description,
        "location_code": spec.location_code,
        "os_volume": _body(volume),
        "volumes": [],
        "existing_volumes": [],
        "is_spot": spec.is_spot,
        "contract": "SPOT" if spec.is_spot else "PAY_AS_YOU_GO",
        "pricing": "FIXED_PRICE",
    }


def _container(spec: ContainerSpec) -> Any:
    return sdk.Container(
        image=spec.image,
        exposed_port=spec.port,
        healthcheck=sdk.HealthcheckSettings(enabled=True, port=spec.port, path=spec.health_path),
        entrypoint_overrides=sdk.EntrypointOverridesSettings(
            enabled=bool(spec.command), cmd=list(spec.command) or None
        ),
        env=[_variable(variable) for variable in spec.environment],
        volume_mounts=[_mount(mount) for mount in spec.mounts],
    )


def _variable(variable: EnvironmentVariable) -> Any:
    return sdk.EnvVar(
        name=variable.name,
        value_or_reference_to_secret=variable.value,
        type=sdk.EnvVarType.SECRET if variable.is_secret else sdk.EnvVarType.PLAIN,
    )


def _mount(mount: Mount) -> Any:
    if isinstance(mount, ScratchMount):
        return sdk.GeneralStorageMount(mount.path)
    if isinstance(mount, MemoryMount):
        return sdk.MemoryMount(mount.size_mb)
    return sdk.SharedFileSystemMount(mount.path, mount.volume_id)


def _scaling(wanted: Scaling) -> Any:
    return sdk.ScalingOptions(
        min_replica_count=wanted.min_replicas,
        max_replica_count=wanted.max_replicas,
        scale_down_policy=sdk.ScalingPolicy(delay_seconds=wanted.scale_down_delay_seconds),
        scale_up_policy=sdk.ScalingPolicy(delay_seconds=wanted.scale_up_delay_seconds),
        queue_message_ttl_seconds=wanted.queue_message_ttl_seconds,
        concurrent_requests_per_replica=wanted.concurrent_requests_per_replica,
        scaling_triggers=sdk.ScalingTriggers(
            queue_load=sdk.QueueLoadScalingTrigger(threshold=wanted.queue_load_threshold),
            cpu_utilization=sdk.UtilizationScalingTrigger(enabled=False),
            gpu_utilization=sdk.UtilizationScalingTrigger(enabled=False),
        ),
    )


def _body(value: Any) -> Payload:
    return cast(Payload, sdk.strip_none_values(value.to_dict()))
