"""Volumes: those of an instance, which outlive it unless told not to, and those made alone."""

from __future__ import annotations

import uuid
from typing import Any

from tests.fakes.verda.clock import stamp
from tests.fakes.verda.container_rules import Kinds, check_fields
from tests.fakes.verda.container_rules import require as require_valid
from tests.fakes.verda.instances import Instance
from tests.fakes.verda.state import State
from tests.fakes.verda.wire import Answer, Refused, Request, Routes, text

BASE = "/volumes"
TYPES = ("NVMe", "HDD", "HDD_Shared", "NVMe_Shared", "NVMe_Local_Storage")
ON_DISCONTINUE = ("keep_detached", "move_to_trash", "delete_permanently")
OPTIONAL: Kinds = {
    "instance_id": str,
    "instance_ids": list,
    "location_code": str,
    "on_spot_discontinue": str,
    "tags": list,
}


class Volumes:
    def __init__(self, state: State) -> None:
        self._state = state
        self._all: dict[str, dict[str, Any]] = {}
        state.kept["volumes"] = self._all
        self.trash: dict[str, dict[str, Any]] = {}

    @property
    def routes(self) -> Routes:
        return {
            ("GET", BASE): self.index,
            ("POST", BASE): self.create,
            ("PUT", BASE): self.act,
            ("GET", BASE + "/trash"): lambda request: Answer(200, list(self.trash.values())),
            ("GET", BASE + "/{id}"): self.read,
            ("DELETE", BASE + "/{id}"): self.delete,
        }

    def index(self, request: Request) -> Answer:
        asked = request.query.get("status")
        return Answer(200, [one for one in self._all.values() if asked in (None, one["status"])])

    def read(self, request: Request) -> Answer:
        return Answer(200, self._found(request.parameters["id"]))

    def create(self, request: Request) -> Answer:
        body = request.fields
        check_fields(body, "body", {"type": str, "name": str, "size": int}, OPTIONAL)
        require_valid(body["type"] in TYPES and body["size"] >= 1, "Invalid type or size")
        location = body.get("location_code", "FIN-03")
        return text(self._make(body, location, body.get("instance_id")), 202)

    def delete(self, request: Request) -> Answer:
        is_permanent = bool(request.fields.get("is_permanent")) if request.body else False
        self._remove(self._found(request.parameters["id"])["id"], is_permanent)
        return Answer(202)

    def act(self, request: Request) -> Answer:
        body = request.fields
        ids = [body["id"]] if isinstance(body.get("id"), str) else body.get("id", [])
        volumes = [self._found(id) for id in ids]
        match body.get("action"):
            case "delete":
                for volume in volumes:
                    self._remove(volume["id"], bool(body.get("is_permanent")))
            case "detach":
                for volume in volumes:
                    volume |= {"status": "detached", "instance_id": None}
            case "attach":
                for volume in volumes:
                    volume |= {"status": "attached", "instance_id": body.get("instance_id")}
            case "rename":
                for volume in volumes:
                    volume["name"] = body["name"]
            case "resize":
                for volume in volumes:
                    require_valid(body["size"] >= volume["size"], "A volume cannot shrink")
                    volume["size"] = body["size"]
            case other:
                raise Refused(400, f"Invalid action {other!r}")
        return Answer(202)

    # ---- of instances ---------------------------------------------------------------------------------
    def make_for(self, machine: Instance, spec: dict[str, Any]) -> None:
        location = spec["location_code"]
        disk = {"type": "NVMe", **spec["os_volume"]}
        machine.os_volume_id = self._make(disk, location, machine.id, is_os_volume=True)
        machine.volume_ids = [machine.os_volume_id]
        for volume in spec.get("volumes", []):
            check_fields(volume, "volumes", {"name": str, "size": int, "type": str}, OPTIONAL)
            machine.volume_ids.append(self._make(volume, location, machine.id))
        for id in spec.get("existing_volumes", []):
            self._all[id] |= {"status": "attached", "instance_id": machine.id}
            machine.volume_ids.append(id)

    def let_go(self, machine: Instance, asked: list[str] | None, is_permanent: bool) -> None:
        """Deletes those asked for, or the system's when nothing was said; the rest stays, detached."""
        doomed = [machine.os_volume_id] if asked is None else asked
        for id in machine.volume_ids:
            if id not in self._all:
                continue
            if id in doomed:
                self._remove(id, is_permanent)
            else:
                self._all[id] |= {"status": "detached", "instance_id": None}

    def discontinue(self, machine: Instance) -> None:
        """What becomes of the disks of a reclaimed spot machine is said by each; keeping is the default."""
        for id in machine.volume_ids:
            policy = self._all.get(id, {}).get("on_spot_discontinue") or "keep_detached"
            if id in self._all and policy == "keep_detached":
                self._all[id] |= {"status": "detached", "instance_id": None}
            elif id in self._all:
                self._remove(id, policy == "delete_permanently")

    # ---- helpers --------------------------------------------------------------------------------------
    def _make(
        self, body: dict[str, Any], location: str, instance_id: str | None, *, is_os_volume: bool = False
    ) -> str:
        id = str(uuid.uuid4())
        self._all[id] = {
            "id": id,
            "status": "attached" if instance_id else "detached",
            "name": body["name"],
            "size": body["size"],
            "type": body["type"],
            "on_spot_discontinue": body.get("on_spot_discontinue"),
            "is_os_volume": is_os_volume,
            "created_at": stamp(self._state.clock.now()),
            "target": "vda" if is_os_volume else None,
            "location": location,
            "instance_id": instance_id,
            "ssh_key_ids": [],
            "contract": "PAY_AS_YOU_GO",
            "currency": "usd",
        }
        return id

    def _remove(self, id: str, is_permanent: bool) -> None:
        volume = self._all.pop(id)
        if not is_permanent:
            self.trash[id] = volume | {"status": "deleted", "deleted_at": stamp(self._state.clock.now())}

    def _found(self, id: str) -> dict[str, Any]:
        if id not in self._all:
            raise Refused(404, f"Volume {id} not found")
        return self._all[id]
