"""Answers of Verda as values of ours; each function raises `NotUnderstood`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from apps.deployments.providers.verda.errors import NotUnderstood
from apps.deployments.providers.verda.reading import Fields, objects
from apps.deployments.providers.verda.types import (
    Balance,
    ContainerDeployment,
    ContainerReplica,
    EnvironmentVariable,
    Instance,
    Location,
    RegistryCredential,
    Scaling,
    Secret,
    SshKey,
    StartupScript,
)

Item = TypeVar("Item")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def many(one: Callable[[Fields], Item], what: str) -> Callable[[Any], list[Item]]:
    """A reader of a list of what `one` reads."""
    return lambda answer: [one(item) for item in objects(answer, what)]


def container_deployment(answer: Any) -> ContainerDeployment:
    return deployment_fields(Fields(answer, "deployment"))


def deployment_fields(fields: Fields) -> ContainerDeployment:
    containers = fields.children("containers")
    container = containers[0] if containers else Fields({}, "deployment.containers[0]")
    compute = fields.child("compute")
    return ContainerDeployment(
        name=fields.name("name"),
        image=_image(container),
        container_name=container.text("name", ""),
        endpoint_base_url=fields.text("endpoint_base_url", "").rstrip("/"),
        compute_name=compute.text("name", ""),
        compute_size=compute.whole("size", 0),
        is_spot=fields.flag("is_spot"),
        created_at=fields.moment("created_at"),
        environment=_environment(container),
    )


def status(answer: Any) -> str:
    return Fields(answer, "deployment status").name("status")


def replicas(answer: Any) -> list[ContainerReplica]:
    fields = Fields(answer, "replicas")
    return [
        ContainerReplica(item.name("id"), item.text("status", "unknown"), item.moment("started_at"))
        for item in objects(fields.raw("list"), "replicas.list")
    ]


def scaling(answer: Any) -> Scaling:
    fields = Fields(answer, "scaling")
    queue_load = fields.child("scaling_triggers").child("queue_load")
    return Scaling(
        min_replicas=fields.whole("min_replica_count"),
        max_replicas=fields.whole("max_replica_count"),
        scale_down_delay_seconds=fields.child("scale_down_policy").whole("delay_seconds"),
        scale_up_delay_seconds=fields.child("scale_up_policy").whole("delay_seconds"),
        concurrent_requests_per_replica=fields.whole("concurrent_requests_per_replica"),
        queue_message_ttl_seconds=fields.whole("queue_message_ttl_seconds"),
        queue_load_threshold=queue_load.whole("threshold", 1),
    )


def environments(answer: Any) -> dict[str, tuple[EnvironmentVariable, ...]]:
    """Variables by the name of their container."""
    return {
        item.name("container_name"): _environment(item) for item in objects(answer, "environment variables")
    }


def instance(answer: Any) -> Instance:
    return instance_fields(Fields(answer, "instance"))


def instance_fields(fields: Fields) -> Instance:
    return Instance(
        id=fields.name("id"),
        status=fields.text("status", "unknown"),
        # What is ours is told by it alone: without it a machine of ours would be rented once more.
        hostname=fields.name("hostname"),
        description=fields.text("description", ""),
        instance_type=fields.text("instance_type", ""),
        image=fields.text("image", ""),
        location_code=fields.text("location", ""),
        ip=fields.text("ip", ""),
        is_spot=fields.flag("is_spot"),
        price_per_hour=fields.money("price_per_hour"),
        created_at=fields.moment("created_at"),
        startup_script_id=fields.text("startup_script_id", ""),
        ssh_key_ids=fields.texts("ssh_key_ids"),
        os_volume_id=fields.text("os_volume_id", ""),
        volume_ids=fields.texts("volume_ids"),
    )


def new_id(text: str) -> str:
    """The id in the answer to a creation: plain text, a JSON text, or an object with an `id`."""
    value = text.strip()
    if value.startswith("{"):
        return Fields(_decoded(value), "new object").name("id")
    value = _decoded(value) if value.startswith('"') else value
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise NotUnderstood("Verda's id of the new object is not one.")


def balance(answer: Any) -> Balance:
    fields = Fields(answer, "balance")
    amount = fields.money("amount")
    if amount is None:
        raise NotUnderstood("Verda's balance has no amount that we understand.")
    return Balance(amount, fields.text("currency", "usd").lower())


def location(fields: Fields) -> Location:
    return Location(fields.name("code"), fields.text("name", ""), fields.text("country_code", ""))


def secret(fields: Fields) -> Secret:
    return Secret(fields.name("name"), fields.moment("created_at"))


def registry_credential(fields: Fields) -> RegistryCredential:
    return RegistryCredential(fields.name("name"), fields.moment("created_at"))


def ssh_key(fields: Fields) -> SshKey:
    return SshKey(fields.name("id"), fields.text("name", ""), fields.text("key", ""))


def startup_script(fields: Fields) -> StartupScript:
    return StartupScript(fields.name("id"), fields.text("name", ""), fields.text("script", ""))


def yes_or_no(answer: Any) -> bool:
    """Verda answers a bare true or false, now and then as a text."""
    if answer in (True, "true"):
        return True
    if answer in (False, "false"):
        return False
    raise NotUnderstood("Verda's availability is neither true nor false.")


def _image(container: Fields) -> str:
    image = container.raw("image")
    return (
        Fields(image, "image").text("image", "") if isinstance(image, dict) else container.text("image", "")
    )


def _environment(container: Fields) -> tuple[EnvironmentVariable, ...]:
    return tuple(
        EnvironmentVariable(
            name=variable.name("name"),
            value=variable.text("value_or_reference_to_secret", ""),
            is_secret=variable.text("type", "plain") == "secret",
        )
        for variable in container.children("env")
    )


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise NotUnderstood("Verda's id of the new object is not one.") from None
