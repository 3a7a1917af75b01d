"""Serverless container deployments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from apps.deployments.providers.verda import answers, payloads, rules
from apps.deployments.providers.verda.calls import Calls
from apps.deployments.providers.verda.errors import InvalidRequest, NotFound, NotUnderstood
from apps.deployments.providers.verda.types import (
    ContainerDeployment,
    ContainerReplica,
    ContainerSpec,
    EnvironmentVariable,
    Scaling,
)

_DEPLOYMENTS = "container-deployments"
# Verda answers a deletion when it is done or the wait is over; the answer itself takes its time, too.
_DELETE_MARGIN_SECONDS = 30.0


class Containers(Calls):
    """All raise `VerdaError`; `NotFound` where there is no such deployment and nothing else is said."""

    def create_container_deployment(self, spec: ContainerSpec) -> ContainerDeployment:
        """Creates it. A name in use raises `Conflict`. An error with `outcome_unknown` may have created
        it all the same: look with `get_container_deployment`."""
        rules.check_container(spec)
        answer = self._call(
            "POST",
            _DEPLOYMENTS,
            json=payloads.container_deployment(spec),
            secrets=_values(spec.environment),
        )
        return answer.read(answers.container_deployment)

    def get_container_deployment(self, name: str) -> ContainerDeployment | None:
        """The deployment, `None` where there is none."""
        try:
            return self._get(_DEPLOYMENTS, name).read(answers.container_deployment)
        except NotFound:
            return None

    def list_container_deployments(self) -> list[ContainerDeployment]:
        return self._get(_DEPLOYMENTS).read(answers.many(answers.deployment_fields, "deployments"))

    def container_status(self, name: str) -> str:
        """Such as `initializing`, `image_pulling`, `healthy`; words that we do not know are passed on."""
        return self._get(_DEPLOYMENTS, name, "status").read(answers.status)

    def container_replicas(self, name: str) -> list[ContainerReplica]:
        return self._get(_DEPLOYMENTS, name, "replicas").read(answers.replicas)

    def container_scaling(self, name: str) -> Scaling:
        return self._get(_DEPLOYMENTS, name, "scaling").read(answers.scaling)

    def scale_container_deployment(
        self,
        name: str,
        *,
        min_replicas: int | None = None,
        max_replicas: int | None = None,
        scale_down_delay_seconds: int | None = None,
        scale_up_delay_seconds: int | None = None,
        concurrent_requests_per_replica: int | None = None,
        queue_message_ttl_seconds: int | None = None,
        queue_load_threshold: int | None = None,
    ) -> Scaling:
        """Changes what is given and keeps the rest; returns what holds then.

        Two calls, since Verda's rules hold for the whole: of two callers at once, the later one wins.
        """
        wanted = {
            "min_replicas": min_replicas,
            "max_replicas": max_replicas,
            "scale_down_delay_seconds": scale_down_delay_seconds,
            "scale_up_delay_seconds": scale_up_delay_seconds,
            "concurrent_requests_per_replica": concurrent_requests_per_replica,
            "queue_message_ttl_seconds": queue_message_ttl_seconds,
            "queue_load_threshold": queue_load_threshold,
        }
        changes = {field: value for field, value in wanted.items() if value is not None}
        scaling = replace(self.container_scaling(name), **changes)
        rules.check_scaling(scaling)
        answer = self._call("PATCH", _DEPLOYMENTS, name, "scaling", json=payloads.scaling(scaling))
        return answer.read(answers.scaling)

    def update_container_image(self, name: str, image: str) -> ContainerDeployment:
        """Has every replica replaced by one of `image`; the rest of the deployment stays as it is."""
        rules.check_image(image)
        changes = {"containers": [{"name": self._container_name(name), "image": image}]}
        return self._call("PATCH", _DEPLOYMENTS, name, json=changes).read(answers.container_deployment)

    def environment_variables(self, name: str) -> tuple[EnvironmentVariable, ...]:
        """Those of its first container, the only one that deployments of ours have."""
        return self._environment(name)[1]

    def set_environment_variables(self, name: str, variables: Sequence[EnvironmentVariable]) -> None:
        """Adds or changes `variables` and keeps all others. Replicas are replaced."""
        container_name, present = self._environment(name)
        known = {variable.name for variable in present}
        changed = [variable for variable in variables if variable.name in known]
        added = [variable for variable in variables if variable.name not in known]
        for method, group in (("PATCH", changed), ("POST", added)):
            if group:
                self._call(
                    method,
                    _DEPLOYMENTS,
                    name,
                    "environment-variables",
                    json=payloads.environment(container_name, group),
                    secrets=_values(group),
                )

    def delete_environment_variables(self, name: str, names: Sequence[str]) -> None:
        """Those that do not exist are no error. Replicas are replaced."""
        container_name, present = self._environment(name)
        here = [variable.name for variable in present if variable.name in names]
        if here:
            body = {"container_name": container_name, "env": here}
            self._call("DELETE", _DEPLOYMENTS, name, "environment-variables", json=body)

    def pause(self, name: str) -> None:
        """Stops all replicas until `resume`; a paused deployment costs nothing."""
        self._call("POST", _DEPLOYMENTS, name, "pause")

    def resume(self, name: str) -> None:
        self._call("POST", _DEPLOYMENTS, name, "resume")

    def restart(self, name: str) -> None:
        """Replaces all replicas."""
        self._call("POST", _DEPLOYMENTS, name, "restart")

    def purge_queue(self, name: str) -> None:
        """Drops the requests that wait for a replica."""
        self._call("POST", _DEPLOYMENTS, name, "purge-queue")

    def delete_container_deployment(self, name: str, timeout_seconds: float = 0.0) -> None:
        """Deletes it, and waits up to `timeout_seconds` (0 to 300) for its end. None of it is no error.

        It may still be on its way out afterwards: it is gone, and costs nothing, once
        `get_container_deployment` returns `None`.
        """
        rules.check_delete_wait(timeout_seconds)
        try:
            self._call(
                "DELETE",
                _DEPLOYMENTS,
                name,
                params={"timeout": str(round(timeout_seconds * 1000))},
                # The wait is over before the deletion is, which goes on.
                accept={HTTPStatus.REQUEST_TIMEOUT},
                read_timeout_seconds=max(
                    timeout_seconds + _DELETE_MARGIN_SECONDS, self._transport.bounds.read_timeout_seconds
                ),
            )
        except NotFound:
            return

    def _container_name(self, name: str) -> str:
        deployment = self.get_container_deployment(name)
        if deployment is None:
            raise NotFound(f"Verda has no deployment {name}.")
        if not deployment.container_name:
            raise NotUnderstood(f"Verda does not name the container of the deployment {name}.")
        return deployment.container_name

    def _environment(self, name: str) -> tuple[str, tuple[EnvironmentVariable, ...]]:
        answer = self._get(_DEPLOYMENTS, name, "environment-variables")
        for container_name, variables in answer.read(answers.environments).items():
            return container_name, variables
        raise InvalidRequest(f"The deployment {name} has no container.")


def _values(variables: Sequence[EnvironmentVariable]) -> list[str]:
    """What must not come back in the words of a refusal."""
    return [variable.value for variable in variables if not variable.is_secret]
