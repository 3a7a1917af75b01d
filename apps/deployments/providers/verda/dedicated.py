"""Dedicated machines: one for each replica, each with our worker in a container that its first start runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from apps.deployments.providers.base import Observation, ProviderError, Replica, ReplicaState, Wanted
from apps.deployments.providers.verda.ground import Ground
from apps.deployments.providers.verda.types import Gpu, Instance, InstanceAction, InstanceSpec

# Machines that will never serve again; a spot machine that was reclaimed is one.
_ENDED = {
    "discontinued": "Verda took the spot machine back.",
    "error": "Verda could not start the machine.",
    "no_capacity": "Verda had no such machine left.",
    "offline": "The machine is switched off.",
    "notfound": "Verda has lost the machine.",
}
_GOING = frozenset({"deleting"})
_RUNNING = "running"


class Dedicated:
    """All raise `VerdaError` or `ProviderError`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._client = ground.client

    def ensure(self, wanted: Wanted) -> None:
        """Rents what is missing, gives back what is released, older than needed, or of no use any more."""
        # A fresh list: a machine whose order was cut off is found here, and no second one is rented for it.
        machines = self._of(wanted.deployment_id, fresh=True)
        current = [one for one in machines if self._is_current(one, wanted)]
        try:
            self._give_back(one for one in machines if self._is_useless(one, wanted))
        finally:
            # One that cannot be given back keeps no other from being rented in its place.
            if wanted.replicas > len(current):
                self._rent(wanted, wanted.replicas - len(current))
        self._ground.machines.get(fresh=True)

    def describe(self, wanted: Wanted, *, closely: bool) -> Observation | None:
        machines = self._of(wanted.deployment_id, fresh=False)
        if not machines:
            return None
        there = [one for one in machines if one.status not in _GOING]
        current = [one for one in there if self._is_current(one, wanted)]
        surplus = {one.id for one in _newest_last(current)[wanted.replicas :]}
        replicas = tuple(self._replica(one, wanted, is_surplus=one.id in surplus) for one in there)
        is_as_wanted = len(current) >= wanted.replicas and not any(
            self._is_useless(one, wanted) for one in there
        )
        return Observation(replicas, is_as_wanted)

    def delete(self, deployment_id: UUID) -> None:
        self._give_back(self._of(deployment_id, fresh=True))
        name = self._ground.names.of(deployment_id)
        for script in self._client.list_startup_scripts():
            if script.name.startswith(f"{name}-"):
                self._client.delete_startup_script(script.id)
        self._ground.machines.get(fresh=True)

    def ids(self) -> set[UUID]:
        return self._ground.names.deployments_of(
            one.hostname for one in self._ground.machines.get(fresh=True)
        )

    def keepsakes(self) -> set[UUID]:
        """Of whom there are scripts."""
        return self._ground.names.deployments_of(one.name for one in self._client.list_startup_scripts())

    def _of(self, deployment_id: UUID, *, fresh: bool) -> list[Instance]:
        machines = self._ground.machines.get(fresh=fresh)
        return [one for one in machines if self._ground.names.deployment_of(one.hostname) == deployment_id]

    def _is_current(self, machine: Instance, wanted: Wanted) -> bool:
        is_of_generation = self._ground.names.generation_of(machine.hostname) == wanted.generation
        is_alive = machine.status not in _ENDED and machine.status not in _GOING
        return is_of_generation and is_alive and machine.id not in wanted.released

    def _is_useless(self, machine: Instance, wanted: Wanted) -> bool:
        if machine.status in _GOING:
            return False
        return machine.status in _ENDED or machine.id in wanted.released

    def _give_back(self, machines: Iterable[Instance]) -> None:
        ids = [one.id for one in machines if one.status not in _GOING]
        if ids:
            self._client.instance_action(ids, InstanceAction.DELETE, delete_permanently=True)

    def _rent(self, wanted: Wanted, count: int) -> None:
        gpu = self._ground.gpu(wanted)
        spec = InstanceSpec(
            instance_type=gpu.instance_type,
            image=self._ground.settings.machine_image,
            hostname="",
            description=f"VoiceFlow {wanted.name}",
            location_code=self._location(wanted, gpu),
            ssh_key_ids=tuple(key.id for key in self._client.list_ssh_keys()),
            startup_script_id=self._script(wanted),
            is_spot=wanted.machine.is_spot,
            os_volume_name=self._ground.names.of(wanted.deployment_id),
            os_volume_size_gb=100,
        )
        for _ in range(count):
            hostname = self._ground.names.machine(wanted.deployment_id, wanted.generation)
            self._client.create_instance(replace(spec, hostname=hostname))

    def _location(self, wanted: Wanted, gpu: Gpu) -> str:
        machine = wanted.machine
        offered = gpu.spot_locations if machine.is_spot else gpu.locations
        if machine.location:
            offered = tuple(code for code in offered if code == machine.location)
        for code in offered:
            if self._client.is_instance_available(
                gpu.instance_type, is_spot=machine.is_spot, location_code=code
            ):
                return code
        where = machine.location or "any location"
        raise ProviderError(
            f"Verda has no {gpu.name} free in {where} at the moment; it is asked again.",
            code="no_capacity",
            permanent=False,
        )

    def _script(self, wanted: Wanted) -> str:
        """The id of the script of this generation; made where it is missing."""
        name = f"{self._ground.names.of(wanted.deployment_id)}-g{wanted.generation}"
        found = self._client.find_startup_script(name)
        return found.id if found else self._client.create_startup_script(name, self._first_start(wanted))

    def _first_start(self, wanted: Wanted) -> str:
        values = self._ground.environment(wanted) | self._ground.secrets(wanted)
        options = " ".join(f"-e {shlex.quote(f'{name}={value}')}" for name, value in sorted(values.items()))
        port = self._ground.settings.worker_port
        image = shlex.quote(self._ground.image(wanted))
        return (
            "#!/bin/bash\n"
            "# Runs VoiceFlow's speech worker, and again after each start of the machine.\n"
            "docker run -d --name voiceflow-worker --restart unless-stopped --gpus all --stop-timeout 40 "
            f"-v voiceflow-cache:/cache -p {port}:8000 {options} {image}\n"
        )

    def _replica(self, machine: Instance, wanted: Wanted, *, is_surplus: bool) -> Replica:
        generation = self._ground.names.generation_of(machine.hostname) or 1
        is_older = generation < wanted.generation and not wanted.keeps_older
        if machine.status in _ENDED:
            state = ReplicaState.CRASHED
        elif is_surplus or is_older or machine.id in wanted.released:
            state = ReplicaState.DRAINING
        else:
            state = ReplicaState.RUNNING if machine.status == _RUNNING else ReplicaState.STARTING
        has_address = machine.ip and machine.status == _RUNNING
        return Replica(
            id=machine.id,
            state=state,
            generation=generation,
            url=f"http://{machine.ip}:{self._ground.settings.worker_port}" if has_address else "",
            token=wanted.machine.token,
            message=_ENDED.get(
                machine.status, "" if machine.status == _RUNNING else f"Verda says {machine.status}."
            ),
        )


def _newest_last(machines: list[Instance]) -> list[Instance]:
    """Those that run before those that do not yet: these are given back first."""
    return sorted(machines, key=lambda one: (one.status != _RUNNING, str(one.created_at or ""), one.id))
