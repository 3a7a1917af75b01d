"""Jobs worked off in this process, piece by piece, or by a Celery worker of their own; speech is real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.accounts.models import User
from apps.accounts.services import create_organization
from apps.deployments.models import Worker
from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import Server, deploy
from tests.tts.jobs.celery_worker import CeleryWorker
from tests.tts.jobs.customer import Customer


@pytest.fixture(scope="session")
def server(lean_door: Server) -> Server:
    """One door is enough: jobs are asked for by Django's views."""
    return lean_door


def customer(name: str) -> Customer:
    owner = User.objects.create_user(f"{name}@example.com", "correct horse battery", name=name.title())
    return Customer(create_organization(name=name.title(), owner=owner), owner)


@pytest.fixture
def anna(transactional_db: None) -> Customer:
    return customer("anna")


@pytest.fixture
def bert(transactional_db: None) -> Customer:
    return customer("bert")


@pytest.fixture
def voice(transactional_db: None, cpu_worker: WorkerProcess) -> Worker:
    """A shared deployment with the CPU engine."""
    return deploy(cpu_worker, name="shared-cpu")


@pytest.fixture
def celery(server: Server) -> Iterator[CeleryWorker]:
    """Celery as in `make run`, with its schedule, beside the server."""
    with CeleryWorker(server) as worker:
        yield worker
