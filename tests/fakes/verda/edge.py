"""The data plane: takes requests at /data/<deployment>/…, waits for a replica, and hands them to a worker."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.fakes.verda.deployments import QUEUES, SERVES, Deployment
from tests.fakes.verda.faults import Fault
from tests.fakes.verda.later import Later
from tests.fakes.verda.proxying import Forwarding
from tests.fakes.verda.wire import Answer, Request

if TYPE_CHECKING:
    from tests.fakes.verda.fake import FakeVerda
    from tests.fakes.verda.server import ControlPlane

POLL_SECONDS = 0.01
Backend = str | Callable[[str], str | None] | None


class Turned(Exception):
    """The edge answers by itself."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Passage:
    """A request to a deployment; `headers` as they came, with the caller's key. `status` is what it heard."""

    deployment: str
    method: str
    path: str
    headers: dict[str, str]
    status: int | None = None


@dataclass
class Edge:
    """How the edge behaves; a test changes it at will.

    `swallow_disconnects`: a client that goes away does not end the worker's request.
    `buffer_whole_answers`: nothing of an answer is sent before all of it is there.
    `end_cut_bodies_cleanly`: a body that the worker cut off ends as if it were whole.
    `cold_start_seconds`: real seconds until a new replica takes requests.
    `patience_seconds`: real seconds that a request may be in the queue, however slow the virtual clock; 0 for
    a test that asks, with the clock at rest, what is not healthy yet.
    """

    fake: FakeVerda
    swallow_disconnects: bool = False
    buffer_whole_answers: bool = False
    end_cut_bodies_cleanly: bool = False
    cold_start_seconds: float = 0.0
    patience_seconds: float = 10.0
    passages: list[Passage] = field(default_factory=list)
    serving: dict[str, int] = field(default_factory=dict)
    queued: dict[str, int] = field(default_factory=dict)
    later: Later = field(init=False)
    _under_way: dict[str, set[Forwarding]] = field(default_factory=dict)
    _turn: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.later = Later(self.fake)

    def serve(self, handler: ControlPlane) -> None:
        body = handler.body()
        name, slash, rest = handler.path.removeprefix("/data/").partition("/")
        passage = Passage(name, handler.command, slash + rest, dict(handler.headers))
        self.passages.append(passage)
        faults = self.fake.faults.take(Request(handler.command, urlsplit(handler.path).path, {}, None))
        instead = self._instead(faults)
        if any(fault.kind == "dropped_before" for fault in faults):
            handler.drop()
            return
        instead = instead or self.later.answer(handler, name, body)
        if instead is None:
            try:
                self._pass_on(handler, passage, body)
                return
            except Turned as turned:
                instead = Answer(turned.status, {"message": str(turned)})
        passage.status = instead.status
        handler.reply(instead)

    def bytes_passed(self, deployment: str) -> int:
        """Of the answer under way of which most has been passed on; 0 where none is."""
        under_way = self._under_way.get(deployment, set()).copy()
        return max((forwarding.bytes_passed for forwarding in under_way), default=0)

    def cut(self, deployment: str) -> None:
        """Ends every answer of a deployment that is under way, as the end of its replicas would."""
        for forwarding in self._under_way.get(deployment, set()).copy():
            forwarding.cut()

    def wake(self) -> None:
        with self._turn:
            self._turn.notify_all()

    # ---- from the queue to a worker -------------------------------------------------------------------
    def _pass_on(self, handler: ControlPlane, passage: Passage, body: bytes) -> None:
        name = passage.deployment
        if handler.headers.get("Authorization") != f"Bearer {self.fake.inference_key}":
            raise Turned(401, "Unauthorized")
        deployment = self.fake.state.containers.get(name)
        if deployment is None or deployment.is_gone:
            raise Turned(404, "Deployment not found")
        with contextlib.ExitStack() as held:
            held.enter_context(self._in_flight(deployment))
            held.enter_context(self._place(handler, deployment))
            backend = self.fake.backend_of(name)
            if backend is None:
                raise Turned(502, "The stand-in has no backend for this deployment")

            def before_end(status: int) -> None:
                passage.status = status
                held.close()

            forwarding = Forwarding(self, handler, backend, before_end)
            self._under_way.setdefault(name, set()).add(forwarding)
            held.callback(self._under_way[name].discard, forwarding)
            forwarding.run(passage.path or "/", body)

    @contextlib.contextmanager
    def _in_flight(self, deployment: Deployment) -> Iterator[None]:
        lock = self.fake.state.lock
        with lock:
            deployment.replicas.cold_start_seconds = self.cold_start_seconds
            deployment.replicas.arrive()
        try:
            yield
        finally:
            with lock:
                deployment.replicas.leave()

    @contextlib.contextmanager
    def _place(self, handler: ControlPlane, deployment: Deployment) -> Iterator[None]:
        """Waits until a replica has room; leaves the queue when it is purged, or too old, or nobody waits."""
        name, purges = deployment.name, deployment.purges
        deadline = self.fake.clock.now() + deployment.spec["scaling"]["queue_message_ttl_seconds"]
        patience_ends = time.monotonic() + self.patience_seconds
        with self._turn:
            self._count(self.queued, name, 1)
            try:
                while not self._may_go(deployment):
                    self._check_waiting(deployment, purges, deadline)
                    if time.monotonic() >= patience_ends:
                        raise Turned(504, "No replica took the request")
                    if not self.swallow_disconnects and handler.client_left():
                        raise Turned(499, "The client left")
                    self._turn.wait(POLL_SECONDS)
                self._count(self.serving, name, 1)
            finally:
                self._count(self.queued, name, -1)
        try:
            yield
        finally:
            with self._turn:
                self._count(self.serving, name, -1)
                self._turn.notify_all()

    def _may_go(self, deployment: Deployment) -> bool:
        if deployment.status not in SERVES:
            return False
        with self.fake.state.lock:
            return self.serving.get(deployment.name, 0) < deployment.replicas.places

    def _check_waiting(self, deployment: Deployment, purges: int, deadline: float) -> None:
        if self.fake.closing.is_set():
            raise Turned(503, "The stand-in stops")
        if deployment.status not in SERVES | QUEUES:
            raise Turned(503, f"Deployment is {deployment.status}")
        if deployment.purges != purges:
            raise Turned(503, "The queue was purged")
        if self.fake.clock.now() > deadline:
            raise Turned(504, "The request was in the queue for too long")

    def _instead(self, faults: list[Fault]) -> Answer | None:
        for fault in faults:
            if fault.kind == "slow":
                self.fake.closing.wait(fault.seconds)
            if instead := fault.instead():
                return instead
        return None

    @staticmethod
    def _count(counts: dict[str, int], name: str, change: int) -> None:
        counts[name] = counts.get(name, 0) + change
