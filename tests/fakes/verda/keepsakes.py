"""Small things that are created, listed and deleted: secrets, credentials, keys, scripts, volumes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from tests.fakes.verda.clock import stamp
from tests.fakes.verda.container_rules import Kinds, check_fields
from tests.fakes.verda.container_rules import require as require_valid
from tests.fakes.verda.state import State
from tests.fakes.verda.wire import Answer, Refused, Request, Routes, text

REGISTRIES: dict[str, Kinds] = {
    "dockerhub": {"username": str, "access_token": str},
    "ghcr": {"username": str, "access_token": str},
    "gcr": {"service_account_key": str},
    "aws-ecr": {"access_key_id": str, "secret_access_key": str, "region": str, "ecr_repo": str},
    "custom": {"docker_config_json": str},
}


@dataclass
class Named:
    """Things with a name of the caller's: secrets and credentials. What was given is never shown again."""

    state: State
    kind: str
    required: Kinds

    def __post_init__(self) -> None:
        self.state.kept[self.kind] = {}

    @property
    def routes(self) -> Routes:
        path = f"/{self.kind}"
        return {
            ("GET", path): self.index,
            ("POST", path): self.create,
            ("DELETE", path + "/{name}"): self.delete,
        }

    @property
    def _all(self) -> dict[str, dict[str, Any]]:
        return self.state.kept[self.kind]

    def index(self, request: Request) -> Answer:
        return Answer(200, [self._shown(kept) for kept in self._all.values()])

    def create(self, request: Request) -> Answer:
        body = request.fields
        optional = REGISTRIES.get(str(body.get("type")), {}) if "type" in self.required else {}
        check_fields(body, "body", {**self.required, **optional})
        require_valid("type" not in body or body["type"] in REGISTRIES, "Unknown type of registry")
        if body["name"] in self._all:
            raise Refused(409, f"{body['name']} already exists")
        self._all[body["name"]] = body | {"created_at": stamp(self.state.clock.now())}
        return Answer(201)

    def delete(self, request: Request) -> Answer:
        name = request.parameters["name"]
        if name not in self._all:
            raise Refused(404, f"{name} not found")
        if request.query.get("force") != "true":
            require_valid(not self._is_used(name), f"{name} is in use")
        del self._all[name]
        return Answer(204)

    def _is_used(self, name: str) -> bool:
        self.state.settle()
        return any(name in _references(thing.spec) for thing in self.state.containers.values())

    def _shown(self, kept: dict[str, Any]) -> dict[str, Any]:
        shown = {"name": kept["name"], "created_at": kept["created_at"]}
        if self.kind == "secrets":
            return shown | {"secret_type": "generic"}
        if self.kind == "file-secrets":
            names = [file["file_name"] for file in kept["files"]]
            return shown | {"secret_type": "file-secret", "file_names": names}
        return shown


@dataclass
class Identified:
    """Things with an id of the API's, which is all that their creation answers, as plain text."""

    state: State
    kind: str
    required: Kinds
    plural: str
    """What the body of DELETE calls the list of ids."""

    def __post_init__(self) -> None:
        self.state.kept[self.kind] = {}

    @property
    def routes(self) -> Routes:
        path = f"/{self.kind}"
        return {
            ("GET", path): self.index,
            ("POST", path): self.create,
            ("DELETE", path): self.delete_many,
            ("GET", path + "/{id}"): self.read,
            ("DELETE", path + "/{id}"): self.delete,
        }

    @property
    def _all(self) -> dict[str, dict[str, Any]]:
        return self.state.kept[self.kind]

    def index(self, request: Request) -> Answer:
        return Answer(200, list(self._all.values()))

    def create(self, request: Request) -> Answer:
        body = request.fields
        check_fields(body, "body", self.required)
        return text(self.keep(body))

    def keep(self, body: dict[str, Any]) -> str:
        id = str(uuid.uuid4())
        self._all[id] = {"id": id, **body}
        return id

    def read(self, request: Request) -> Answer:
        """A list of one, as the API has it."""
        return Answer(200, [self._found(request.parameters["id"])])

    def delete(self, request: Request) -> Answer:
        del self._all[self._found(request.parameters["id"])["id"]]
        return Answer(200)

    def delete_many(self, request: Request) -> Answer:
        check_fields(request.fields, "body", {self.plural: list})
        for id in [self._found(id)["id"] for id in request.fields[self.plural]]:
            del self._all[id]
        return Answer(200)

    def _found(self, id: str) -> dict[str, Any]:
        if id not in self._all:
            raise Refused(404, f"{id} not found")
        return self._all[id]


def _references(spec: dict[str, Any]) -> set[str]:
    """Names of secrets and credentials that a deployment lives on."""
    names = {spec["container_registry_settings"].get("credentials", {}).get("name", "")}
    for container in spec["containers"]:
        for variable in container.get("env", []):
            if variable["type"] == "secret":
                names.add(variable["value_or_reference_to_secret"])
        names |= {mount.get("secret_name", "") for mount in container.get("volume_mounts", [])}
    return names
