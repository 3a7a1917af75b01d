"""Steps that tests of reconciliation share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.deployments import reconciliation, services
from apps.deployments.models import Deployment
from apps.deployments.providers.base import Replica, ReplicaState
from apps.deployments.specification import Scaling
from apps.deployments.states import State
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.fake_worker import FakeWorker


def look(deployment: Deployment) -> float | None:
    again = reconciliation.reconcile_deployment(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.claimed_until is None
    return again


def requested(replicas: int = 1, *, engine: str = "tone") -> Deployment:
    return services.create_deployment(
        organization=None, name="one", engine=engine, scaling=Scaling.fixed(replicas)
    )


def running(worker: FakeWorker, name: str = "r1", **fields: Any) -> Replica:
    return Replica(name, ReplicaState.RUNNING, fields.pop("generation", 1), url=worker.url, **fields)


def brought_up(provider: FakeSupervisor, *workers: FakeWorker) -> Deployment:
    """A deployment that is ready, its replicas r1, r2 and so on."""
    deployment = requested(len(workers))
    provider.replicas = tuple(running(worker, f"r{n}") for n, worker in enumerate(workers, 1))
    look(deployment)
    assert deployment.state == State.READY
    return deployment


def long_ago(deployment: Deployment, seconds: float = 3600) -> None:
    changed = timezone.now() - timedelta(seconds=seconds)
    Deployment.objects.filter(pk=deployment.pk).update(state_changed_at=changed)


def states_of(deployment: Deployment) -> list[str]:
    return list(deployment.events.values_list("to_state", flat=True))


def at_once(count: int, work: Callable[[], object]) -> list[object]:
    """What `count` threads got from doing the same at the same moment: a result or an exception each."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        try:
            barrier.wait()
            results.append(work())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
