"""All that exists in the stand-in, and what it costs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.fakes.verda.clock import VirtualClock
from tests.fakes.verda.deployments import Deployment, Durations
from tests.fakes.verda.hardware import Hardware, catalogue
from tests.fakes.verda.instances import Instance
from tests.fakes.verda.wire import Refused

MICRODOLLAR = Decimal("0.000001")


@dataclass
class State:
    """`containers` and `instances` hold what is not gone; `former` what is, for it has cost something."""

    clock: VirtualClock
    data_url: str
    durations: Durations = field(default_factory=Durations)
    hardware: list[Hardware] = field(default_factory=catalogue)
    funds: Decimal = Decimal(100)
    containers: dict[str, Deployment] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    former: list[Deployment | Instance] = field(default_factory=list)
    kept: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def settle(self) -> None:
        """Moves what is gone by now to what was."""
        with self.lock:
            for name in [name for name, deployment in self.containers.items() if deployment.is_gone]:
                self.former.append(self.containers.pop(name))
            for id in [id for id, instance in self.instances.items() if instance.is_gone]:
                self.former.append(self.instances.pop(id))

    def bill(self) -> Decimal:
        with self.lock:
            things = [*self.containers.values(), *self.instances.values(), *self.former]
            return sum((thing.cost() for thing in things), Decimal(0)).quantize(MICRODOLLAR)

    @property
    def balance(self) -> Decimal:
        return self.funds - self.bill()

    def require_funds(self) -> None:
        if self.balance <= 0:
            raise Refused(402, "Insufficient funds")

    def deployment(self, name: str) -> Deployment:
        self.settle()
        if name not in self.containers:
            raise Refused(404, f"Deployment {name} not found")
        return self.containers[name]

    def endpoint_of(self, deployment: Deployment) -> str:
        return f"{self.data_url}/{deployment.name}"
