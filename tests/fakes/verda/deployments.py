"""A container deployment as the stand-in keeps it: what was asked, its statuses, its replicas, its cost."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.fakes.verda.clock import Timeline, VirtualClock, stamp
from tests.fakes.verda.replicas import Replicas

HOUR = Decimal(3600)
SERVES = frozenset({"healthy", "degraded", "version_updating"})
IDLE = frozenset({"paused", "quota_reached"})
QUEUES = frozenset({"initializing", "image_pulling"})


@dataclass
class Durations:
    """Virtual seconds that each step takes. `ends_as` and `instances_end_as` say how new ones turn out."""

    initializing: float = 5
    image_pulling: float = 60
    version_updating: float = 30
    deleting: float = 0
    ordered: float = 5
    provisioning: float = 60
    validating: float = 20
    instance_deleting: float = 10
    shutting_down: float = 10
    ends_as: str = "healthy"
    instances_end_as: str = "running"


class Deployment:
    """`spec` is what POST and PATCH made of it; `purges` counts how often its queue was emptied."""

    def __init__(
        self, spec: dict[str, Any], clock: VirtualClock, durations: Durations, price: Decimal
    ) -> None:
        self._clock, self._durations = clock, durations
        self.created_at = self._updated_at = clock.now()
        self.price_per_hour = price
        self.spec: dict[str, Any] = {}
        self.timeline = Timeline(clock)
        self.replicas = Replicas(clock, spec["scaling"])
        self.bills_on, self.purges = False, 0
        self._spent_before, self._seconds_before = Decimal(0), Decimal(0)
        self._take(spec)
        self._start()

    def _take(self, spec: dict[str, Any]) -> None:
        self.spec = copy.deepcopy(spec)
        for index, container in enumerate(self.spec["containers"]):
            repository = container["image"].partition("@")[0].rpartition("/")[2].partition(":")[0]
            container["name"] = container.get("name") or f"{repository}-{index}"

    # ---- what tests and the API ask -------------------------------------------------------------------
    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def status(self) -> str:
        return self.timeline.status

    @property
    def is_gone(self) -> bool:
        return self.status == "gone"

    @property
    def image(self) -> str:
        return str(self.spec["containers"][0]["image"])

    def environment(self, container: int = 0) -> dict[str, str]:
        """Name to value, or to the name of the secret."""
        variables = self.spec["containers"][container].get("env", [])
        return {variable["name"]: variable["value_or_reference_to_secret"] for variable in variables}

    def cost(self) -> Decimal:
        seconds = self.replicas.seconds() - self._seconds_before
        return self._spent_before + seconds * self.price_per_hour / HOUR

    def answer(self, endpoint_base_url: str) -> dict[str, Any]:
        """As GET and POST show it: without `scaling`, the image an object."""
        shown = copy.deepcopy(self.spec)
        del shown["scaling"]
        for container in shown["containers"]:
            container["image"] = {"image": container["image"], "last_updated_at": stamp(self._updated_at)}
        return shown | {"endpoint_base_url": endpoint_base_url, "created_at": stamp(self.created_at)}

    # ---- what happens to it ---------------------------------------------------------------------------
    def becomes(self, status: str) -> None:
        """Now, and until something else happens to it; any word will do."""
        self.timeline.plan((status, 0))
        if status in IDLE:
            self.replicas.close()
        elif status in SERVES:
            self.replicas.open(self._clock.now())

    def update(self, spec: dict[str, Any], price: Decimal) -> None:
        """A new version: other replicas take the place of those that run, all at once when it is ready."""
        self._spent_before, self._seconds_before = self.cost(), self.replicas.seconds()
        self.price_per_hour, self._updated_at = price, self._clock.now()
        self._take(spec)
        self.replicas.rescale(self.spec["scaling"])
        if self.status != "paused":
            durations = self._durations
            self.timeline.plan(("version_updating", durations.version_updating), (durations.ends_as, 0))
            self.replicas.open(self._clock.now())

    def rescale(self, scaling: dict[str, Any]) -> None:
        self.spec["scaling"] = scaling
        self.replicas.rescale(scaling)

    def pause(self) -> None:
        self.timeline.plan(("paused", 0))
        self.replicas.close()

    def restart(self) -> None:
        self.replicas.close()
        self._start()

    resume = restart

    def delete(self) -> None:
        """`bills_on` is the fault that stops nothing."""
        if not self.bills_on:
            self.replicas.close()
        self.timeline.plan(("terminating", self._durations.deleting), ("gone", 0))

    def _start(self) -> None:
        durations, end = self._durations, self._durations.ends_as
        self.timeline.plan(
            ("initializing", durations.initializing), ("image_pulling", durations.image_pulling), (end, 0)
        )
        if end not in IDLE:
            self.replicas.open(self._clock.now() + durations.initializing)
