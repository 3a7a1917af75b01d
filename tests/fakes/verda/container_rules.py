"""What the API refuses of a container deployment, as strict as the contract's page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tests.fakes.verda.wire import Refused

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
Kinds = dict[str, type | tuple[type, ...]]
NUMBER = (int, float)

DEPLOYMENT: Kinds = {
    "name": str,
    "compute": dict,
    "container_registry_settings": dict,
    "containers": list,
    "scaling": dict,
}
CONTAINER: Kinds = {
    "name": str,
    "healthcheck": dict,
    "entrypoint_overrides": dict,
    "env": list,
    "volume_mounts": list,
    "autoupdate": dict,
}
SCALING: Kinds = {
    "min_replica_count": int,
    "max_replica_count": int,
    "scale_down_policy": dict,
    "scale_up_policy": dict,
    "queue_message_ttl_seconds": int,
    "concurrent_requests_per_replica": int,
    "scaling_triggers": dict,
}
MOUNTS: dict[str, Kinds] = {
    "scratch": {},
    "memory": {"size_in_mb": int},
    "secret": {"secret_name": str},
    "shared": {"volume_id": str},
}


def require(holds: bool, message: str) -> None:
    if not holds:
        raise Refused(400, message)


def check_fields(value: Any, where: str, required: Kinds, optional: Kinds | None = None) -> None:
    """All that is required, nothing that is unknown, each of its type; a bool is no number."""
    require(isinstance(value, dict), f"{where} must be an object")
    known = {**required, **(optional or {})}
    for name in required:
        require(name in value, f"{where}.{name} is required")
    for name, inner in value.items():
        require(name in known, f"{where}.{name} should not exist")
        kind = known[name]
        is_right = isinstance(inner, kind) and (kind is bool or not isinstance(inner, bool))
        require(is_right, f"{where}.{name} has the wrong type")


def check_deployment(body: dict[str, Any]) -> None:
    """A whole one, as POST takes it and as PATCH must leave it."""
    check_fields(body, "deployment", DEPLOYMENT, {"is_spot": bool})
    name = body["name"]
    require(NAME.fullmatch(name) is not None and len(name) <= 63, f"Invalid deployment name {name!r}")
    compute = body["compute"]
    check_fields(compute, "compute", {"name": str, "size": int}, {"is_available": bool})
    registry = body["container_registry_settings"]
    check_fields(registry, "container_registry_settings", {"is_private": bool}, {"credentials": dict})
    if registry["is_private"]:
        check_fields(registry.get("credentials"), "container_registry_settings.credentials", {"name": str})
    require(len(body["containers"]) > 0, "containers must not be empty")
    for container in body["containers"]:
        check_container(container)
    check_scaling(body["scaling"])


def check_container(container: Any) -> None:
    check_fields(container, "container", {"image": str, "exposed_port": int}, CONTAINER)
    check_image(container["image"])
    check_port(container["exposed_port"], "exposed_port")
    if health := container.get("healthcheck"):
        check_fields(health, "healthcheck", {"enabled": bool}, {"port": int, "path": str})
        check_port(health.get("port", 1), "healthcheck.port")
        require(health.get("path", "/").startswith("/"), "healthcheck.path must start with /")
    if overrides := container.get("entrypoint_overrides"):
        lists: Kinds = {"entrypoint": list, "cmd": list}
        check_fields(overrides, "entrypoint_overrides", {"enabled": bool}, lists)
    check_environment(container.get("env", []))
    for mount in container.get("volume_mounts", []):
        check_mount(mount)


def check_image(image: str) -> None:
    name, at, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    require(bool(tag or (at and digest)), f"Image {image!r} must have a tag")
    require(tag != "latest", f"Image {image!r} must have a specific tag, not latest")


def check_port(port: int, where: str) -> None:
    require(1 <= port <= 65535, f"{where} must be a port")


def check_environment(variables: Any) -> None:
    require(isinstance(variables, list), "env must be a list")
    for variable in variables:
        check_fields(variable, "env", {"name": str, "value_or_reference_to_secret": str, "type": str})
        require(variable["type"] in ("plain", "secret"), "env.type must be plain or secret")
        require(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable["name"]) is not None, "Invalid env.name")
    require(_are_different(variable["name"] for variable in variables), "env has a name twice")


def check_mount(mount: Any) -> None:
    require(isinstance(mount, dict), "volume_mounts must hold objects")
    kind = mount.get("type")
    require(kind in MOUNTS, f"Unknown type of volume mount {kind!r}")
    optional: Kinds = {"file_names": list} if kind == "secret" else {}
    check_fields(mount, "volume_mounts", {"type": str, "mount_path": str, **MOUNTS[kind]}, optional)
    require(mount["mount_path"].startswith("/"), "volume_mounts.mount_path must start with /")


def check_scaling(scaling: Any) -> None:
    check_fields(scaling, "scaling", SCALING)
    least, most = scaling["min_replica_count"], scaling["max_replica_count"]
    require(least >= 0, "scaling.min_replica_count must not be negative")
    require(most >= max(1, least), "scaling.max_replica_count must be at least 1 and min_replica_count")
    for policy in ("scale_down_policy", "scale_up_policy"):
        check_fields(scaling[policy], policy, {"delay_seconds": int})
        require(scaling[policy]["delay_seconds"] >= 0, f"{policy}.delay_seconds must not be negative")
    for count in ("queue_message_ttl_seconds", "concurrent_requests_per_replica"):
        require(scaling[count] >= 1, f"scaling.{count} must be at least 1")
    utilization: Kinds = {"cpu_utilization": dict, "gpu_utilization": dict}
    triggers = scaling["scaling_triggers"]
    check_fields(triggers, "scaling_triggers", {"queue_load": dict}, utilization)
    check_fields(triggers["queue_load"], "queue_load", {"threshold": NUMBER})
    require(triggers["queue_load"]["threshold"] >= 1, "queue_load.threshold must be at least 1")
    for name in utilization.keys() & triggers.keys():
        check_fields(triggers[name], name, {"enabled": bool}, {"threshold": NUMBER})
        needs = triggers[name]["enabled"] and "threshold" not in triggers[name]
        require(not needs, f"{name}.threshold is required")


def _are_different(names: Iterable[str]) -> bool:
    listed = list(names)
    return len(set(listed)) == len(listed)
