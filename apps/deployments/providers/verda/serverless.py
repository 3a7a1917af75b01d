"""Serverless containers: Verda starts and ends replicas by itself, behind one address."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from uuid import UUID

from apps.deployments.providers.base import Observation, Replica, ReplicaState, Wanted
from apps.deployments.providers.verda.errors import Conflict, NotUnderstood, VerdaError
from apps.deployments.providers.verda.ground import Ground
from apps.deployments.providers.verda.types import (
    ContainerDeployment,
    ContainerSpec,
    EnvironmentVariable,
    Scaling,
    ScratchMount,
)

# What Verda calls a deployment whose replicas take requests, and one that will not come up by itself.
_SERVES = frozenset({"healthy", "degraded"})
_STUCK = {
    "unhealthy": "Verda says unhealthy: its container does not answer /health.",
    "quota_reached": "Verda says quota_reached: no such hardware is free, or the account's quota is used up.",
}
_PAUSED = "paused"
_UPDATING = "version_updating"
# How long one that serves is believed to do so without being asked.
SERVES_SECONDS = 60.0


class Serverless:
    """All raise `VerdaError` or `ProviderError`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._client = ground.client
        self._seen_to_serve: dict[str, float] = {}

    def ensure(self, wanted: Wanted) -> None:
        name = self._ground.names.of(wanted.deployment_id)
        there = self._client.get_container_deployment(name) or self._create(name, wanted)
        self._pause_or_resume(name, wanted)
        if not self._is_as_wanted(there, wanted):
            self._update(there, wanted)
        scaling = _scaling(wanted)
        if self._client.container_scaling(name) != scaling:
            self._client.scale_container_deployment(
                name,
                min_replicas=scaling.min_replicas,
                max_replicas=scaling.max_replicas,
                scale_down_delay_seconds=scaling.scale_down_delay_seconds,
                scale_up_delay_seconds=scaling.scale_up_delay_seconds,
                concurrent_requests_per_replica=scaling.concurrent_requests_per_replica,
            )
        self._ground.containers.get(fresh=True)

    def describe(self, wanted: Wanted, *, closely: bool) -> Observation | None:
        there = self._find(wanted.deployment_id)
        if there is None:
            return None
        is_as_wanted = self._is_as_wanted(there, wanted)
        # One call for each, whatever happens to it: their number by the second is limited.
        status = self._status(there.name, wanted) if closely and wanted.replicas else "healthy"
        # A least of replicas is paid for from before it serves.
        may_be_billed = status in _SERVES or status == _UPDATING or wanted.machine.min_replicas
        billed = self._billed(there.name) if closely and may_be_billed else None
        if not wanted.replicas:
            return Observation((), is_as_wanted, billed)
        replica = self._replica(there, wanted, status)
        return Observation((replica,), is_as_wanted and status != _PAUSED, billed)

    def delete(self, deployment_id: UUID) -> None:
        name = self._ground.names.of(deployment_id)
        self._seen_to_serve.pop(name, None)
        self._client.delete_container_deployment(name)
        if self._client.get_container_deployment(name) is not None:
            self._ground.containers.get(fresh=True)
            return  # while it is there it may be started again, and then needs its secrets
        for secret in self._client.list_secrets():
            if self._ground.names.deployment_of(secret.name) == deployment_id:
                self._client.delete_secret(secret.name, force=True)
        self._ground.containers.get(fresh=True)

    def ids(self) -> set[UUID]:
        return self._ground.names.deployments_of(one.name for one in self._ground.containers.get(fresh=True))

    def keepsakes(self) -> set[UUID]:
        """Of whom there are secrets."""
        return self._ground.names.deployments_of(one.name for one in self._client.list_secrets())

    def _find(self, deployment_id: UUID) -> ContainerDeployment | None:
        name = self._ground.names.of(deployment_id)
        return next((one for one in self._ground.containers.get() if one.name == name), None)

    def _status(self, name: str, wanted: Wanted) -> str:
        """Asked at each look while it comes up, and now and then while it serves."""
        now = time.monotonic()
        if not wanted.keeps_older and now - self._seen_to_serve.get(name, -math.inf) < SERVES_SECONDS:
            return "healthy"
        status = self._client.container_status(name)
        if status in _SERVES:
            self._seen_to_serve[name] = now
        else:
            self._seen_to_serve.pop(name, None)
        return status

    def _billed(self, name: str) -> tuple[str, ...]:
        return tuple(replica.id for replica in self._client.container_replicas(name))

    def _create(self, name: str, wanted: Wanted) -> ContainerDeployment:
        gpu = self._ground.gpu(wanted)
        machine = wanted.machine
        spec = ContainerSpec(
            name=name,
            image=self._ground.image(wanted),
            compute_name=gpu.compute_name,
            compute_size=gpu.compute_size,
            is_spot=machine.is_spot,
            environment=self._variables(wanted),
            mounts=(ScratchMount("/cache"),),
            registry_credentials=self._ground.settings.registry_credentials,
            scaling=_scaling(wanted),
        )
        self._keep_secrets(wanted)
        try:
            return self._client.create_container_deployment(spec)
        except VerdaError as error:
            if not (error.outcome_unknown or isinstance(error, Conflict)):
                raise
            # Another task, or this one before it was cut off, may have made it.
            if there := self._client.get_container_deployment(name):
                return there
            raise

    def _pause_or_resume(self, name: str, wanted: Wanted) -> None:
        is_paused = self._client.container_status(name) == _PAUSED
        if wanted.is_paused and not is_paused:
            self._client.pause(name)
        elif is_paused and not wanted.is_paused:
            self._client.resume(name)

    def _update(self, there: ContainerDeployment, wanted: Wanted) -> None:
        """Verda replaces replicas without a gap, by itself."""
        variables = self._variables(wanted)
        if _by_name(there.environment) != _by_name(variables):
            self._keep_secrets(wanted)
            self._client.set_environment_variables(there.name, variables)
            gone = _by_name(there.environment).keys() - _by_name(variables).keys()
            self._client.delete_environment_variables(there.name, sorted(gone))
        if there.image != self._ground.image(wanted):
            self._client.update_container_image(there.name, self._ground.image(wanted))

    def _keep_secrets(self, wanted: Wanted) -> None:
        """Verda's secrets cannot be changed: one of another value is made anew."""
        for name, value in self._ground.secrets(wanted).items():
            kept = self._secret(wanted, name)
            try:
                self._client.create_secret(kept, value)
            except Conflict:
                self._client.delete_secret(kept, force=True)
                self._client.create_secret(kept, value)

    def _variables(self, wanted: Wanted) -> tuple[EnvironmentVariable, ...]:
        plain = self._ground.environment(wanted)
        open_ones = [EnvironmentVariable(name, value) for name, value in sorted(plain.items())]
        hidden = [
            EnvironmentVariable(name, self._secret(wanted, name), is_secret=True)
            for name in sorted(self._ground.secrets(wanted))
        ]
        return (*open_ones, *hidden)

    def _secret(self, wanted: Wanted, variable: str) -> str:
        return self._ground.names.secret(wanted.deployment_id, variable)

    def _is_as_wanted(self, there: ContainerDeployment, wanted: Wanted) -> bool:
        if not there.image:
            # To update it all the same would restart what may be as it should.
            raise NotUnderstood(f"Verda does not say what runs in {there.name}.")
        return there.image == self._ground.image(wanted) and _by_name(there.environment) == _by_name(
            self._variables(wanted)
        )

    def _replica(self, there: ContainerDeployment, wanted: Wanted, status: str) -> Replica:
        told = _by_name(there.environment).get("GENERATION", ("0", False))[0]
        generation = int(told) if told.isdecimal() and int(told) else 1
        state, url = ReplicaState.RUNNING, there.endpoint_base_url.rstrip("/")
        if status in _STUCK:
            state = ReplicaState.CRASHED
        elif status == _UPDATING:
            # Until all replicas are new ones the older answer, too.
            generation = max(1, generation - 1)
        elif status not in _SERVES:
            state, url = ReplicaState.STARTING, ""  # a question would only wait in its queue
        return Replica(
            id=there.name,
            state=state,
            generation=generation,
            url=url,
            token=wanted.machine.token,
            message=_STUCK.get(status, "" if status in _SERVES else f"Verda says {status}."),
            sleeps_alone=True,
            inference_key=self._ground.settings.inference_key(),
        )


def _scaling(wanted: Wanted) -> Scaling:
    machine = wanted.machine
    return replace(
        Scaling(),
        # Verda keeps its least running, whoever sleeps.
        min_replicas=machine.min_replicas if wanted.replicas else 0,
        max_replicas=machine.max_replicas,
        scale_down_delay_seconds=machine.scale_down_delay_seconds,
        scale_up_delay_seconds=machine.scale_up_delay_seconds,
        concurrent_requests_per_replica=machine.concurrency,
    )


def _by_name(variables: tuple[EnvironmentVariable, ...]) -> dict[str, tuple[str, bool]]:
    return {variable.name: (variable.value, variable.is_secret) for variable in variables}
