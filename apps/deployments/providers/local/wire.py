"""The JSON that client and supervisor exchange, and the state file's: strict in both directions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from apps.deployments.providers.base import Replica, ReplicaState, Wanted

MAX_REPLICAS = 64
_WORD = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_T = TypeVar("_T", str, int)


class WireError(ValueError):
    """The JSON breaks a rule; the message says which, for a human."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """A deployment on this machine: what the supervisor was last told, and what there is."""

    wanted: Wanted
    replicas: tuple[Replica, ...]


def decode(raw: bytes | str) -> object:
    """Raises WireError for what is not JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WireError(f"This is not JSON: {error}.") from error


def wanted_from_json(deployment_id: UUID, body: object) -> Wanted:
    fields = _fields(body, {"name", "engine", "replicas", "generation"})
    return Wanted(
        deployment_id=deployment_id,
        name=_word(fields, "name"),
        engine=_word(fields, "engine"),
        replicas=_whole(fields, "replicas", 0, MAX_REPLICAS),
        generation=_whole(fields, "generation", 1, 2**31 - 1),
    )


def wanted_to_json(wanted: Wanted) -> dict[str, object]:
    return {
        "name": wanted.name,
        "engine": wanted.engine,
        "replicas": wanted.replicas,
        "generation": wanted.generation,
    }


def fleet_to_json(fleet: Fleet) -> dict[str, object]:
    return {
        "id": str(fleet.wanted.deployment_id),
        "wanted": wanted_to_json(fleet.wanted),
        "replicas": [
            {
                "id": replica.id,
                "state": replica.state.value,
                "generation": replica.generation,
                "url": replica.url,
                "token": replica.token,
                "message": replica.message,
            }
            for replica in fleet.replicas
        ],
    }


def fleet_from_json(body: object) -> Fleet:
    fields = _fields(body, {"id", "wanted", "replicas"})
    replicas = fields["replicas"]
    if not isinstance(replicas, list):
        raise WireError("replicas must be a list.")
    return Fleet(
        wanted=wanted_from_json(uuid_from(fields["id"]), fields["wanted"]),
        replicas=tuple(_replica(replica) for replica in replicas),
    )


def uuid_from(value: object) -> UUID:
    try:
        return UUID(_typed("id", value, str))
    except ValueError:
        raise WireError("The id must be a UUID.") from None


def _replica(body: object) -> Replica:
    fields = _fields(body, {"id", "state", "generation", "url", "token", "message"})
    try:
        state = ReplicaState(fields["state"])
    except ValueError:
        raise WireError(f"state {fields['state']!r} is not known.") from None
    return Replica(
        id=_typed("id", fields["id"], str),
        state=state,
        generation=_whole(fields, "generation", 1, 2**31 - 1),
        url=_typed("url", fields["url"], str),
        token=_typed("token", fields["token"], str),
        message=_typed("message", fields["message"], str),
    )


def _fields(body: object, names: set[str]) -> dict[str, Any]:
    """The object's fields, which must be exactly those named."""
    if not isinstance(body, dict):
        raise WireError("The body must be a JSON object.")
    if missing := sorted(names - body.keys()):
        raise WireError(f"{missing[0]} is missing.")
    if unknown := sorted(body.keys() - names):
        raise WireError(f"{unknown[0][:64]!r} is not a known field.")
    return body


def _word(fields: dict[str, Any], name: str) -> str:
    value = _typed(name, fields[name], str)
    if not _WORD.fullmatch(value):
        raise WireError(f"{name} must be 1 to 63 lower-case letters, digits and inner hyphens.")
    return value


def _whole(fields: dict[str, Any], name: str, low: int, high: int) -> int:
    value = _typed(name, fields[name], int)
    if not low <= value <= high:
        raise WireError(f"{name} must be a whole number from {low} to {high}.")
    return value


def _typed(name: str, value: object, kind: type[_T]) -> _T:
    # Not isinstance: to Python, true is a whole number.
    if type(value) is not kind:
        raise WireError(f"{name} must be a {'string' if kind is str else 'whole number'}.")
    return value
