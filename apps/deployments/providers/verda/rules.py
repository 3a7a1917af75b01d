"""Verda's rules that can be checked before any call; each check raises `InvalidRequest`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from apps.deployments.providers.verda.errors import InvalidRequest
from apps.deployments.providers.verda.types import ContainerSpec, InstanceSpec, Scaling

LONGEST_NAME = 63
LONGEST_DELETE_WAIT_SECONDS = 300.0
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_REPOSITORY = re.compile(r"[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")
_HIGHEST_PORT = 65535


def check_name(name: str) -> None:
    """Names of deployments: lower-case letters, digits and inner dashes, at most 63 characters."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} is no name for a deployment: use a-z, 0-9 and inner dashes, at most {LONGEST_NAME}."
        )


def check_image(image: str) -> None:
    """Images must carry a tag that stays: none, `latest` and digests are refused."""
    if "@" in image:
        raise InvalidRequest(f"The image {image!r} names a digest: Verda takes tags only.")
    repository, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        raise InvalidRequest(f"The image {image!r} has no tag: name a version.")
    if tag.lower() == "latest":
        raise InvalidRequest(f"The image {image!r} is tagged latest, which Verda refuses: name a version.")
    if not _TAG.fullmatch(tag) or not _REPOSITORY.fullmatch(repository):
        raise InvalidRequest(f"{image!r} is not the name of an image.")


def check_scaling(scaling: Scaling) -> None:
    least = {
        "min_replicas": 0,
        "max_replicas": 1,
        "scale_down_delay_seconds": 0,
        "scale_up_delay_seconds": 0,
        "concurrent_requests_per_replica": 1,
        "queue_message_ttl_seconds": 1,
        "queue_load_threshold": 1,
    }
    for name, lowest in least.items():
        if getattr(scaling, name) < lowest:
            raise InvalidRequest(f"{name} must be at least {lowest}.")
    if scaling.min_replicas > scaling.max_replicas:
        raise InvalidRequest("min_replicas must not be above max_replicas.")


def check_container(spec: ContainerSpec) -> None:
    check_name(spec.name)
    check_image(spec.image)
    check_scaling(spec.scaling)
    if not spec.compute_name or spec.compute_size < 1:
        raise InvalidRequest("A deployment needs a compute resource and how many of it.")
    if not 1 <= spec.port <= _HIGHEST_PORT:
        raise InvalidRequest(f"{spec.port} is not a port.")
    if not spec.health_path.startswith("/"):
        raise InvalidRequest("The health path must start with a slash.")


def check_instance(spec: InstanceSpec) -> None:
    for name in ("instance_type", "image", "description", "location_code"):
        if not getattr(spec, name):
            raise InvalidRequest(f"A machine needs its {name}.")
    if len(spec.hostname) > LONGEST_NAME or not _NAME.fullmatch(spec.hostname):
        raise InvalidRequest(f"{spec.hostname!r} is no hostname: use a-z, 0-9 and inner dashes.")
    if spec.os_volume_size_gb < 1:
        raise InvalidRequest("The disk of a machine must hold at least 1 GB.")


def check_delete_wait(timeout_seconds: float) -> None:
    if not 0 <= timeout_seconds <= LONGEST_DELETE_WAIT_SECONDS:
        raise InvalidRequest(f"Verda waits for a deletion from 0 to {LONGEST_DELETE_WAIT_SECONDS:.0f} s.")


def check_segment(value: str) -> str:
    """`value` as one part of a path. Anything that could name another path is refused."""
    if not _SEGMENT.fullmatch(value) or value in {".", ".."}:
        raise InvalidRequest(f"{value!r} cannot be a name or an id at Verda.")
    return value


def check_key(key: str) -> None:
    """Keys travel in headers, which hold printable ASCII only."""
    if not key.isascii() or any(not character.isprintable() or character == " " for character in key):
        raise InvalidRequest("The key has blanks or letters that no key has: was it copied whole?")


def check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        is_good = is_good and not (parts.username or parts.query or parts.fragment)
    except ValueError:
        is_good = False
    if not is_good:
        raise InvalidRequest("An address must begin with https:// (or http://) and name a host.")
