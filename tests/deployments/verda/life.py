"""A whole life of a deployment at the stand-in, step by step, on two clocks that go together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.utils import timezone

from apps.deployments import orphans, reconciliation, services, words
from apps.deployments.models import Deployment, Run
from apps.deployments.providers import verda_setup
from apps.deployments.specification import Hardware, Scaling
from apps.deployments.states import State
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.verda.platform import deployed, set_up
from tests.fakes.verda import FakeVerda

LOOK_SECONDS = 10.0
MOST_LOOKS = 60
OVER = frozenset({"deleting", "deleted", "gone", "discontinued", "no_capacity", "error"})
Goal = Callable[["Life"], bool]
Step = tuple[Callable[["Life"], None], Goal]


@dataclass
class Life:
    """`keeps_lists`: all looks are those of one process, whose token may expire."""

    verda: FakeVerda
    traveller: Any
    kind: str
    keeps_lists: bool = False
    failures: list[str] = field(default_factory=list)
    looks: int = 0
    blind_looks: int = 0
    most_machines: int = 1
    deployment: Deployment = field(init=False)

    @property
    def name(self) -> str:
        return f"vf-{self.deployment.pk.hex}"

    @property
    def steps(self) -> dict[str, Step]:
        return SERVERLESS if self.kind == "serverless" else DEDICATED

    # ---- time -----------------------------------------------------------------------------------------
    def passes(self, seconds: float = LOOK_SECONDS) -> None:
        self.verda.clock.advance(seconds)
        self.traveller.shift(seconds)

    def look(self) -> None:
        """As the schedule does, by a process that knows nothing yet."""
        if not self.keeps_lists:
            verda_setup.forget_lists()
        faults = sum(fault.times for fault in self.verda.faults)
        reconciliation.reconcile_deployment(self.deployment.pk)
        orphans.remove_orphans()
        self.looks += 1
        self.blind_looks += sum(fault.times for fault in self.verda.faults) < faults
        self.deployment.refresh_from_db()
        assert self.deployment.claimed_until is None
        assert len(self.verda.containers) <= 1
        assert len(self.machines) <= self.most_machines, [one.status for one in self.machines]

    def until(self, goal: Goal) -> None:
        """Looks until then, or until it has failed."""
        for _ in range(MOST_LOOKS):
            self.look()
            if self.deployment.state == State.FAILED or goal(self):
                return
            self.passes()
        raise AssertionError(f"stuck in {self.deployment.state}: {self.deployment.error_message}")

    # ---- steps ----------------------------------------------------------------------------------------
    def begin(self, step: str) -> None:
        """What somebody asks for; what failed before is started again first."""
        if step != "create" and self.deployment.state == State.FAILED:
            services.start_deployment(self.deployment)
            self.until(is_ready)
            assert self.deployment.state == State.READY, self.deployment.error_message
        self.steps[step][0](self)
        self.most_machines = 2 if step in ("update", "scale_up", "scale_down") else 1
        self.deployment.refresh_from_db()

    def finish(self, step: str) -> None:
        """Looks until it is where it was going; one that failed says why, and leaves nothing."""
        self.until(self.steps[step][1])
        self.verda.faults.clear()
        if self.deployment.state == State.FAILED:
            self.failures.append(f"{step}: {self.deployment.error_message}")
            assert "Verda" in self.deployment.error_message, self.deployment.error_message
            assert words.what_to_do(self.deployment.error_code)
            self.leaves_nothing()
        self.most_machines = 2 if step == "scale_up" else 1

    def leaves_nothing(self) -> None:
        for _ in range(4):
            self.passes()
            self.look()
        assert not self.verda.containers
        assert not self.verda.instances
        assert not self.verda.state.kept["secrets"]
        assert not self.verda.state.kept["scripts"]
        assert not Run.objects.filter(ended_at=None).exists()

    # ---- what there is --------------------------------------------------------------------------------
    @property
    def machines(self) -> list[Any]:
        return [one for one in self.verda.instances.values() if one.status not in OVER]

    def recorded(self) -> Decimal:
        """What all of it has cost by our own record."""
        now = timezone.now()
        return sum(
            (
                Decimal(((run.ended_at or now) - run.started_at) / timedelta(hours=1)) * run.price_per_hour
                for run in Run.objects.all()
                if run.price_per_hour is not None
            ),
            Decimal(0),
        )

    def is_charged_fairly(self, *, unseen_looks: int) -> None:
        """Each run may be off by a look at its begin, one at its end, and the minute that Verda rounds up;
        besides, by the looks at which something went wrong, since they may have seen nothing."""
        runs = Run.objects.count()
        price = max((run.price_per_hour or Decimal(0) for run in Run.objects.all()), default=Decimal(0))
        seconds = runs * (2 * LOOK_SECONDS + 60) + unseen_looks * LOOK_SECONDS
        bound = price * Decimal(seconds) / 3600
        assert abs(self.recorded() - self.verda.bill()) <= bound, (self.recorded(), self.verda.bill(), bound)


def is_ready(life: Life) -> bool:
    return life.deployment.state == State.READY


def _create(life: Life) -> None:
    life.deployment = deployed(life.kind, secrets={"LICENSE": "s3cret-license"})


def _update(life: Life) -> None:
    hardware = Hardware(
        image="ghcr.io/acme/worker:2.0.0", environment={"THREADS": "2"}, secrets={"LICENSE": "s3cret-too"}
    )
    services.update_deployment(life.deployment, hardware=hardware)


def _is_updated(life: Life) -> bool:
    if life.kind == "serverless":
        there = life.verda.containers[life.name]
        return is_ready(life) and there.image.endswith("2.0.0") and there.environment()["THREADS"] == "2"
    older = [one for one in life.machines if "-g1-" in one.spec["hostname"]]
    return is_ready(life) and len(life.machines) == 1 and not older


def _scale(life: Life) -> None:
    bounds = Scaling(min_replicas=1, max_replicas=5, scale_down_delay_seconds=60)
    services.scale_deployment(life.deployment, scaling=bounds)


def _is_scaled(life: Life) -> bool:
    scaling = life.verda.containers[life.name].spec["scaling"]
    return is_ready(life) and (scaling["min_replica_count"], scaling["max_replica_count"]) == (1, 5)


def _replicas(count: int) -> Step:
    def is_so(life: Life) -> bool:
        ready = life.deployment.workers.filter(state="ready").count()
        return is_ready(life) and ready == count == len(life.machines)

    return lambda life: services.scale_deployment(life.deployment, scaling=Scaling.fixed(count)), is_so


def _rests(state: State) -> Goal:
    """Until nothing of it runs, and nothing of it is thought to run."""

    def is_so(life: Life) -> bool:
        there = life.verda.containers.get(life.name)
        runs = there.replicas.live if there else life.machines
        return life.deployment.state == state and not runs and not Run.objects.filter(ended_at=None).exists()

    return is_so


def _is_over(life: Life) -> bool:
    return life.deployment.state == State.STOPPED


SERVERLESS: dict[str, Step] = {
    "create": (_create, is_ready),
    "update": (_update, _is_updated),
    "scale": (_scale, _is_scaled),
    "sleep": (lambda life: services.sleep_deployment(life.deployment), _rests(State.ASLEEP)),
    "wake": (lambda life: services.start_deployment(life.deployment), is_ready),
    "pause": (lambda life: services.pause_deployment(life.deployment), _rests(State.PAUSED)),
    "resume": (lambda life: services.start_deployment(life.deployment), is_ready),
    "stop": (lambda life: services.stop_deployment(life.deployment), _is_over),
}
DEDICATED: dict[str, Step] = {
    "create": (_create, is_ready),
    "update": (_update, _is_updated),
    "scale_up": _replicas(2),
    "scale_down": _replicas(1),
    "pause": (lambda life: services.pause_deployment(life.deployment), _rests(State.PAUSED)),
    "resume": (lambda life: services.start_deployment(life.deployment), is_ready),
    "stop": (lambda life: services.stop_deployment(life.deployment), _is_over),
}


@contextmanager
def lived(settings: Any, worker: FakeWorker, kind: str) -> Iterator[Life]:
    """A platform whose calls are made once, so that what goes wrong reaches those who must bear it."""
    with FakeVerda() as verda:
        begins = datetime.fromtimestamp(verda.clock.now(), UTC)
        verda.edge.patience_seconds = 0
        short = verda.durations
        short.image_pulling = short.provisioning = short.validating = 10
        short.version_updating = 15
        settings.VERDA_ATTEMPTS = 1
        with time_machine.travel(begins, tick=False) as traveller:
            set_up(settings, verda, worker)
            yield Life(verda, traveller, kind)


def shape(path: str) -> str:
    """The path of a call with a star where something's own name stands."""
    path = re.sub(r"^/(secrets|scripts|instance-availability)/[^/]+", r"/\1/*", path)
    return re.sub(r"^/container-deployments/[^/]+", "/container-deployments/*", path)
