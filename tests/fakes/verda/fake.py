"""The stand-in itself: one server on loopback for Verda's public API and for its data plane."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from decimal import Decimal

from tests.fakes.loopback import Loopback
from tests.fakes.verda.account import Account
from tests.fakes.verda.clock import VirtualClock
from tests.fakes.verda.containers import Containers, Environment
from tests.fakes.verda.deployments import Deployment, Durations
from tests.fakes.verda.edge import Backend, Edge
from tests.fakes.verda.faults import Faults
from tests.fakes.verda.hardware import Hardware
from tests.fakes.verda.instances import Instance
from tests.fakes.verda.keepsakes import Identified, Named
from tests.fakes.verda.machines import Machines
from tests.fakes.verda.router import Router
from tests.fakes.verda.server import PREFIX, ControlPlane
from tests.fakes.verda.state import State
from tests.fakes.verda.tokens import Tokens
from tests.fakes.verda.volumes import Volumes
from tests.fakes.verda.wire import CallLog, Request, Routes


class FakeVerda(Loopback):
    """Serves while its context is open.

    `clock.advance(seconds)` lets time pass; `clock.speed` lets it pass by itself. `backend` is the worker
    that the data plane hands requests to: its URL, or a function of the deployment's name. `at_call` hears of
    each call to the control plane before it is done and after; where it says so, the connection ends then.
    """

    def __init__(self, *, speed: float = 0.0, backend: Backend = None) -> None:
        super().__init__(ControlPlane)
        self.clock = VirtualClock(speed=speed)
        self.tokens = Tokens(self.clock)
        self.inference_key = f"dc_{secrets.token_hex(16)}"
        self.faults, self.calls = Faults(), CallLog()
        self.closing = threading.Event()
        self.at_call: Callable[[Request, bool], bool] = lambda request, is_done: False
        self.backend: Backend = backend
        self.state = State(self.clock, self.url + "/data")
        self.volumes = Volumes(self.state)
        self.router = Router(self._routes(), self.tokens)
        self.edge = Edge(self)
        self.clock.on_advance(self.edge.wake)

    def release(self) -> None:
        self.closing.set()
        self.edge.wake()

    # ---- how to reach it ------------------------------------------------------------------------------
    @property
    def base_url(self) -> str:
        return self.url + PREFIX

    @property
    def client_id(self) -> str:
        return self.tokens.client_id

    @property
    def client_secret(self) -> str:
        return self.tokens.client_secret

    # ---- what there is, and what it costs -------------------------------------------------------------
    @property
    def containers(self) -> dict[str, Deployment]:
        self.state.settle()
        return self.state.containers

    @property
    def instances(self) -> dict[str, Instance]:
        self.state.settle()
        return self.state.instances

    @property
    def durations(self) -> Durations:
        return self.state.durations

    @property
    def hardware(self) -> dict[str, Hardware]:
        """By instance type; prices and availability may be changed."""
        return {offer.instance_type: offer for offer in self.state.hardware}

    def bill(self) -> Decimal:
        """Dollars that all that ever existed has cost until now, to the millionth."""
        return self.state.bill()

    @property
    def balance(self) -> Decimal:
        return self.state.balance

    @balance.setter
    def balance(self, amount: Decimal) -> None:
        self.state.funds = amount + self.bill()

    # ---- what befalls it ------------------------------------------------------------------------------
    def reclaim(self, id: str) -> None:
        """The spot market takes an instance back, or all replicas of a deployment, which start anew."""
        with self.state.lock:
            if id in self.containers:
                self.containers[id].replicas.reclaim()
                self.edge.cut(id)
            else:
                self.instances[id].reclaim()
                self.volumes.discontinue(self.instances[id])

    def backend_of(self, deployment: str) -> str | None:
        return self.backend(deployment) if callable(self.backend) else self.backend

    def _routes(self) -> Routes:
        state = self.state
        script: dict[str, type | tuple[type, ...]] = {"name": str, "script": str}
        return {
            **Account(state).routes,
            **Named(state, "secrets", {"name": str, "value": str}).routes,
            **Named(state, "file-secrets", {"name": str, "files": list}).routes,
            **Named(state, "container-registry-credentials", {"name": str, "type": str}).routes,
            **Identified(state, "sshkeys", {"name": str, "key": str}, "keys").routes,
            **Identified(state, "scripts", script, "scripts").routes,
            **self.volumes.routes,
            **Machines(state, self.volumes).routes,
            **Containers(state).routes,
            **Environment(state).routes,
        }
