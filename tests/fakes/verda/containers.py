"""The endpoints of container deployments."""

from __future__ import annotations

import copy
import re
from typing import Any

from tests.fakes.verda.container_rules import check_deployment, check_environment, check_fields, check_scaling
from tests.fakes.verda.container_rules import require as require_valid
from tests.fakes.verda.deployments import Deployment
from tests.fakes.verda.hardware import Hardware, by_compute
from tests.fakes.verda.state import State
from tests.fakes.verda.wire import Answer, Refused, Request, Routes

BASE = "/container-deployments"
READ_ONLY = ("endpoint_base_url", "created_at")


class Containers:
    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def routes(self) -> Routes:
        one = BASE + "/{name}"
        return {
            ("GET", BASE): self.index,
            ("POST", BASE): self.create,
            ("GET", one): self.read,
            ("PATCH", one): self.update,
            ("DELETE", one): self.delete,
            ("GET", one + "/status"): self.status,
            ("GET", one + "/replicas"): self.replicas,
            ("GET", one + "/scaling"): self.scaling,
            ("PATCH", one + "/scaling"): self.rescale,
            ("POST", one + "/pause"): self.pause,
            ("POST", one + "/resume"): self.resume,
            ("POST", one + "/restart"): self.restart,
            ("POST", one + "/purge-queue"): self.purge_queue,
        }

    # ---- create, read, update, delete -----------------------------------------------------------------
    def index(self, request: Request) -> Answer:
        self._state.settle()
        return Answer(200, [self._shown(deployment) for deployment in self._state.containers.values()])

    def create(self, request: Request) -> Answer:
        body = request.fields
        hardware = self._check(body)
        self._state.settle()
        if body["name"] in self._state.containers:
            raise Refused(409, f"Deployment {body['name']} already exists")
        self._state.require_funds()
        price = hardware.hourly(bool(body.get("is_spot")))
        spec = {"is_spot": False, **body}
        deployment = Deployment(spec, self._state.clock, self._state.durations, price)
        if not hardware.available:
            deployment.becomes("quota_reached")
        self._state.containers[deployment.name] = deployment
        return Answer(201, self._shown(deployment))

    def read(self, request: Request) -> Answer:
        return Answer(200, self._shown(self._named(request)))

    def update(self, request: Request) -> Answer:
        deployment, changes = self._named(request), request.fields
        require_valid(changes.get("name", deployment.name) == deployment.name, "name cannot be changed")
        spec = copy.deepcopy(deployment.spec) | {k: v for k, v in changes.items() if k != "containers"}
        spec["scaling"] = deployment.spec["scaling"] | changes.get("scaling", {})
        for container in changes.get("containers", []):
            _replace_container(spec["containers"], container)
        hardware = self._check(spec)
        deployment.update(spec, hardware.hourly(spec["is_spot"]))
        return Answer(200, self._shown(deployment))

    def delete(self, request: Request) -> Answer:
        deployment = self._named(request)
        timeout = request.query.get("timeout", "0")
        is_valid = re.fullmatch(r"\d{1,6}", timeout) is not None and int(timeout) <= 300_000
        require_valid(is_valid, "timeout must be between 0 and 300000")
        deployment.bills_on = "bills_on" in request.marks
        deployment.delete()
        return Answer(204)

    # ---- life -----------------------------------------------------------------------------------------
    def status(self, request: Request) -> Answer:
        return Answer(200, {"status": self._named(request).status})

    def replicas(self, request: Request) -> Answer:
        return Answer(200, {"list": self._named(request).replicas.listed()})

    def scaling(self, request: Request) -> Answer:
        return Answer(200, self._named(request).spec["scaling"])

    def rescale(self, request: Request) -> Answer:
        deployment = self._named(request)
        scaling = deployment.spec["scaling"] | request.fields
        check_scaling(scaling)
        deployment.rescale(scaling)
        return Answer(200, scaling)

    def pause(self, request: Request) -> Answer:
        self._named(request).pause()
        return Answer(204)

    def resume(self, request: Request) -> Answer:
        deployment = self._named(request)
        require_valid(deployment.status == "paused", "Only a paused deployment can be resumed")
        deployment.resume()
        return Answer(204)

    def restart(self, request: Request) -> Answer:
        self._named(request).restart()
        return Answer(204)

    def purge_queue(self, request: Request) -> Answer:
        self._named(request).purges += 1
        return Answer(204)

    # ---- helpers --------------------------------------------------------------------------------------
    def _named(self, request: Request) -> Deployment:
        return self._state.deployment(request.parameters["name"])

    def _shown(self, deployment: Deployment) -> dict[str, Any]:
        return deployment.answer(self._state.endpoint_of(deployment))

    def _check(self, body: dict[str, Any]) -> Hardware:
        """The rules that need nothing else, then those about what else exists."""
        check_deployment(body)
        kept = self._state.kept
        for container in body["containers"]:
            check_references(container, kept["secrets"], kept["file-secrets"], kept["volumes"])
        registry = body["container_registry_settings"]
        if registry["is_private"]:
            name = registry["credentials"]["name"]
            known = name in kept["container-registry-credentials"]
            require_valid(known, f"Registry credentials {name!r} do not exist")
        return by_compute(self._state.hardware, body["compute"]["name"], body["compute"]["size"])


class Environment:
    """The endpoints of a deployment's environment variables."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def routes(self) -> Routes:
        path = BASE + "/{name}/environment-variables"
        return {
            ("GET", path): self.read,
            ("POST", path): self.add,
            ("PATCH", path): self.change,
            ("DELETE", path): self.remove,
        }

    def read(self, request: Request) -> Answer:
        return Answer(200, self._shown(self._state.deployment(request.parameters["name"])))

    def add(self, request: Request) -> Answer:
        deployment, container, given = self._asked(request)
        here = {variable["name"] for variable in container.get("env", [])}
        require_valid(not here & {variable["name"] for variable in given}, "The variable exists already")
        return Answer(201, self._become(deployment, container, [*container.get("env", []), *given]))

    def change(self, request: Request) -> Answer:
        deployment, container, given = self._asked(request)
        changed = {variable["name"]: variable for variable in given}
        here = container.get("env", [])
        require_valid(changed.keys() <= {variable["name"] for variable in here}, "No such variable")
        self._become(deployment, container, [changed.get(variable["name"], variable) for variable in here])
        return Answer(200, {"container_name": container["name"], "env": container["env"]})

    def remove(self, request: Request) -> Answer:
        deployment, container, names = self._asked(request, of_names=True)
        here = container.get("env", [])
        require_valid(set(names) <= {variable["name"] for variable in here}, "No such variable")
        kept = [variable for variable in here if variable["name"] not in names]
        return Answer(200, self._become(deployment, container, kept))

    def _asked(
        self, request: Request, *, of_names: bool = False
    ) -> tuple[Deployment, dict[str, Any], list[Any]]:
        deployment, body = self._state.deployment(request.parameters["name"]), request.fields
        check_fields(body, "body", {"container_name": str, "env": list})
        container = _container_named(deployment.spec["containers"], body["container_name"])
        if of_names:
            require_valid(all(isinstance(name, str) for name in body["env"]), "env must hold names")
        else:
            check_environment(body["env"])
            kept = self._state.kept
            check_references({"env": body["env"]}, kept["secrets"], kept["file-secrets"], kept["volumes"])
        return deployment, container, body["env"]

    def _become(
        self, deployment: Deployment, container: dict[str, Any], env: list[Any]
    ) -> list[dict[str, Any]]:
        container["env"] = env
        deployment.update(deployment.spec, deployment.price_per_hour)
        return self._shown(deployment)

    def _shown(self, deployment: Deployment) -> list[dict[str, Any]]:
        return [
            {"container_name": container["name"], "env": container.get("env", [])}
            for container in deployment.spec["containers"]
        ]


def check_references(
    container: dict[str, Any], secrets: dict[str, Any], files: dict[str, Any], volumes: dict[str, Any]
) -> None:
    for variable in container.get("env", []):
        name = variable["value_or_reference_to_secret"]
        require_valid(variable["type"] != "secret" or name in secrets, f"Secret {name!r} does not exist")
    for mount in container.get("volume_mounts", []):
        if mount["type"] == "secret":
            require_valid(
                mount["secret_name"] in files, f"File secret {mount['secret_name']!r} does not exist"
            )
        if mount["type"] == "shared":
            require_valid(mount["volume_id"] in volumes, f"Volume {mount['volume_id']!r} does not exist")


def _container_named(containers: list[dict[str, Any]], name: object) -> dict[str, Any]:
    for container in containers:
        if container["name"] == name:
            return container
    raise Refused(400, f"There is no container {name!r}")


def _replace_container(containers: list[dict[str, Any]], changes: Any) -> None:
    require_valid(isinstance(changes, dict) and "name" in changes, "container.name is required")
    _container_named(containers, changes["name"]).update(changes)
