"""A machine as the stand-in keeps it: its statuses and what it costs from the minute it is provisioned."""

from __future__ import annotations

import math
import uuid
from decimal import Decimal
from typing import Any

from tests.fakes.verda.clock import Timeline, VirtualClock, stamp
from tests.fakes.verda.deployments import Durations
from tests.fakes.verda.hardware import Hardware


class Instance:
    """`host` is its address, loopback's or another of this machine that a test sets. Billed by begun
    minutes."""

    def __init__(
        self, spec: dict[str, Any], clock: VirtualClock, durations: Durations, hardware: Hardware
    ) -> None:
        self._clock, self._durations, self.spec, self.hardware = clock, durations, spec, hardware
        self.id = str(uuid.uuid4())
        self.created_at = clock.now()
        self.price_per_hour = hardware.hourly(bool(spec.get("is_spot")))
        self.host = "127.0.0.1"
        self.os_volume_id: str | None = None
        self.volume_ids: list[str] = []
        self.bills_on = False
        self._billed_until: float | None = None
        self.timeline = Timeline(clock)
        self.timeline.plan(*self._birth())

    def _birth(self) -> list[tuple[str, float]]:
        steps, end = self._durations, self._durations.instances_end_as
        if end == "no_capacity":
            return [("ordered", steps.ordered), (end, 0)]
        if end == "error":
            return [("ordered", steps.ordered), ("provisioning", steps.provisioning), (end, 0)]
        on_the_way = [("provisioning", steps.provisioning), ("validating", steps.validating)]
        return [("ordered", steps.ordered), *on_the_way, (end, 0)]

    # ---- what tests and the API ask -------------------------------------------------------------------
    @property
    def status(self) -> str:
        return self.timeline.status

    @property
    def is_gone(self) -> bool:
        return self.status == "gone"

    @property
    def is_spot(self) -> bool:
        return bool(self.spec.get("is_spot"))

    @property
    def ip(self) -> str | None:
        has_address = {"running", "validating", "offline", "discontinued", "deleting"}
        return self.host if self.status in has_address else None

    def minutes(self) -> int:
        """Begun minutes until now, or until it was given back; an offline machine costs as much."""
        began = self.timeline.began("provisioning")
        if began is None or began > self._clock.now():
            return 0
        until = self._clock.now() if self._billed_until is None else self._billed_until
        return max(0, math.ceil((until - began) / 60))

    def cost(self) -> Decimal:
        return self.minutes() * self.price_per_hour / 60

    def answer(self) -> dict[str, Any]:
        spec = self.spec
        return {
            "id": self.id,
            "ip": self.ip,
            "status": self.status,
            "created_at": stamp(self.created_at),
            **self.hardware.details,
            "storage": {"description": f"{spec['os_volume']['size']}GB NVME"},
            "hostname": spec["hostname"],
            "description": spec["description"],
            "location": spec["location_code"],
            "price_per_hour": float(self.price_per_hour),
            "is_spot": self.is_spot,
            "instance_type": spec["instance_type"],
            "image": spec["image"],
            "os_name": "Ubuntu 24.04",
            "startup_script_id": spec.get("startup_script_id"),
            "ssh_key_ids": spec["ssh_key_ids"],
            "os_volume_id": self.os_volume_id,
            "volume_ids": self.volume_ids,
            "jupyter_token": None,
            "contract": spec.get("contract", "SPOT" if self.is_spot else "PAY_AS_YOU_GO"),
            "pricing": spec.get("pricing", "FIXED_PRICE"),
        }

    # ---- what happens to it ---------------------------------------------------------------------------
    def becomes(self, status: str) -> None:
        self.timeline.plan((status, 0))

    def reclaim(self) -> None:
        """The spot market takes it back: it stays in the list as discontinued and costs nothing more."""
        self._stop_billing()
        self.timeline.plan(("discontinued", 0))

    def shut_down(self) -> None:
        self.timeline.plan(("running", self._durations.shutting_down), ("offline", 0))

    def start(self) -> None:
        self.timeline.plan(("provisioning", 0), ("running", 0))

    def delete(self) -> None:
        if not self.bills_on:
            self._stop_billing()
        self.timeline.plan(("deleting", self._durations.instance_deleting), ("gone", 0))

    def _stop_billing(self) -> None:
        if self._billed_until is None:
            self._billed_until = self._clock.now()
