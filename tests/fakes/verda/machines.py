"""The endpoints of instances."""

from __future__ import annotations

from typing import Any

from tests.fakes.verda.account import IMAGES, LOCATIONS, is_to_be_had
from tests.fakes.verda.container_rules import Kinds, check_fields
from tests.fakes.verda.container_rules import require as require_valid
from tests.fakes.verda.hardware import by_type
from tests.fakes.verda.instances import Instance
from tests.fakes.verda.state import State
from tests.fakes.verda.volumes import ON_DISCONTINUE, Volumes
from tests.fakes.verda.wire import Answer, Refused, Request, Routes, text

BASE = "/instances"
REQUIRED: Kinds = {"instance_type": str, "image": str, "hostname": str, "description": str}
OPTIONAL: Kinds = {
    "ssh_key_ids": list,
    "startup_script_id": str,
    "location_code": str,
    "os_volume": dict,
    "volumes": list,
    "existing_volumes": list,
    "is_spot": bool,
    "contract": str,
    "pricing": str,
    "coupon": str,
    "tags": list,
}
ACTIONS = {
    "boot": {"offline"},
    "start": {"offline"},
    "shutdown": {"running"},
    "force_shutdown": {"running"},
    "hibernate": {"running", "offline"},
    "delete": {"running", "offline", "discontinued", "ordered", "provisioning", "validating"}
    | {"error", "no_capacity"},
    "delete_stuck": {"error", "provisioning", "no_capacity", "deleting"},
}


class Machines:
    def __init__(self, state: State, volumes: Volumes) -> None:
        self._state, self._volumes = state, volumes

    @property
    def routes(self) -> Routes:
        return {
            ("GET", BASE): self.index,
            ("POST", BASE): self.create,
            ("PUT", BASE): self.act,
            ("GET", BASE + "/{id}"): self.read,
        }

    def index(self, request: Request) -> Answer:
        self._state.settle()
        asked = request.query.get("status")
        machines = [one for one in self._state.instances.values() if asked in (None, one.status)]
        return Answer(200, [one.answer() for one in machines])

    def read(self, request: Request) -> Answer:
        return Answer(200, self._found(request.parameters["id"]).answer())

    def create(self, request: Request) -> Answer:
        spec: dict[str, Any] = {"is_spot": False, "location_code": "FIN-03", "ssh_key_ids": []}
        spec |= request.fields
        self._check(spec)
        hardware = by_type(self._state.hardware, spec["instance_type"])
        self._state.require_funds()
        spec.setdefault("os_volume", {"name": f"{spec['hostname']}-os", "size": 50})
        machine = Instance(spec, self._state.clock, self._state.durations, hardware)
        if not is_to_be_had(hardware, is_spot=spec["is_spot"], location=spec["location_code"]):
            machine.timeline.plan(("ordered", self._state.durations.ordered), ("no_capacity", 0))
        self._volumes.make_for(machine, spec)
        self._state.instances[machine.id] = machine
        return text(machine.id, 202)

    # ---- actions --------------------------------------------------------------------------------------
    def act(self, request: Request) -> Answer:
        """204 for one instance; 202, or 207 if some failed, with a result of each for several."""
        body = request.fields
        optional: Kinds = {"volume_ids": list, "delete_permanently": bool}
        check_fields(body, "body", {"id": (list, str), "action": str}, optional)
        ids = [body["id"]] if isinstance(body["id"], str) else body["id"]
        require_valid(body["action"] in ACTIONS, f"Invalid action {body['action']!r}")
        require_valid(bool(ids) and all(isinstance(id, str) for id in ids), "id must hold ids")
        fails = ids[-1] if "partial_failure" in request.marks else None
        marked = "bills_on" in request.marks
        results = [self._one(id, body, bills_on=marked, fails=id == fails) for id in ids]
        failed = [result for result in results if result["status"] == "error"]
        if fails is None and len(ids) == 1:
            if failed:
                raise Refused(failed[0]["statusCode"], failed[0]["error"])
            return Answer(204)
        return Answer(207 if failed else 202, results)

    def _one(self, id: str, body: dict[str, Any], *, bills_on: bool, fails: bool) -> dict[str, Any]:
        result = {"action": body["action"], "instanceId": id, "status": "success"}
        try:
            if fails:
                raise Refused(400, "Action could not be performed")
            self._perform(self._found(id), body, bills_on=bills_on)
        except Refused as refused:
            return result | {"status": "error", "error": refused.message, "statusCode": refused.status}
        return result

    def _perform(self, machine: Instance, body: dict[str, Any], *, bills_on: bool) -> None:
        action, status = body["action"], machine.status
        require_valid(status in ACTIONS[action], f"Cannot {action} an instance that is {status}")
        machine.bills_on = bills_on
        if action in ("boot", "start"):
            machine.start()
        elif action in ("shutdown", "force_shutdown"):
            machine.shut_down()
        elif action == "hibernate":
            machine.reclaim()
        else:
            machine.delete()
            self._volumes.let_go(machine, body.get("volume_ids"), bool(body.get("delete_permanently")))

    # ---- helpers --------------------------------------------------------------------------------------
    def _found(self, id: str) -> Instance:
        self._state.settle()
        if id not in self._state.instances:
            raise Refused(404, f"Instance {id} not found")
        return self._state.instances[id]

    def _check(self, spec: dict[str, Any]) -> None:
        check_fields(spec, "instance", REQUIRED, OPTIONAL)
        kept = self._state.kept
        known_image = spec["image"] in [kind for kind, _ in IMAGES] or spec["image"] in kept["volumes"]
        require_valid(known_image, f"Invalid image {spec['image']!r}")
        codes = [place["code"] for place in LOCATIONS]
        require_valid(spec["location_code"] in codes, f"Invalid location {spec['location_code']!r}")
        for id in spec["ssh_key_ids"]:
            require_valid(id in kept["sshkeys"], f"SSH key {id!r} does not exist")
        script = spec.get("startup_script_id")
        require_valid(script is None or script in kept["scripts"], f"Script {script!r} does not exist")
        contract = spec.get("contract", "SPOT" if spec["is_spot"] else "PAY_AS_YOU_GO")
        require_valid(contract in ("LONG_TERM", "PAY_AS_YOU_GO", "SPOT"), "Invalid contract")
        require_valid((contract == "SPOT") == spec["is_spot"], "contract and is_spot contradict each other")
        pricing = spec.get("pricing", "FIXED_PRICE")
        require_valid(pricing in ("FIXED_PRICE", "DYNAMIC_PRICE"), "Invalid pricing")
        if "os_volume" in spec:
            check_os_volume(spec["os_volume"], is_spot=spec["is_spot"])
        for id in spec.get("existing_volumes", []):
            require_valid(id in kept["volumes"], f"Volume {id!r} does not exist")


def check_os_volume(volume: Any, *, is_spot: bool) -> None:
    check_fields(volume, "os_volume", {"name": str, "size": int}, {"on_spot_discontinue": str})
    require_valid(volume["size"] >= 1, "os_volume.size must be positive")
    policy = volume.get("on_spot_discontinue")
    require_valid(policy is None or policy in ON_DISCONTINUE, "Invalid on_spot_discontinue")
    require_valid(policy is None or is_spot, "on_spot_discontinue is for spot instances only")
