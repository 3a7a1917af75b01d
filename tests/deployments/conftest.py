"""Fixtures: providers real and false, and the cast of organizations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.deployments.providers.local.layout import Layout
from apps.deployments.routing import Router
from tests.deployments.fake_supervisor import FakeSupervisor
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.local_provider import Supervisor


@pytest.fixture
def acme(db: None) -> Organization:
    return Organization.objects.create(name="Acme", slug="acme")


@pytest.fixture
def globex(db: None) -> Organization:
    return Organization.objects.create(name="Globex", slug="globex")


@pytest.fixture
def var_dir(settings: Any, tmp_path: Path) -> Path:
    """A VAR_DIR of the test's own, for us and for the provider."""
    settings.VAR_DIR = tmp_path / "var"
    return settings.VAR_DIR


@pytest.fixture
def fake_supervisor(var_dir: Path) -> Iterator[FakeSupervisor]:
    with FakeSupervisor(Layout(var_dir)) as fake:
        yield fake


@pytest.fixture
def fake_worker() -> Iterator[FakeWorker]:
    with FakeWorker() as fake:
        yield fake


@pytest.fixture(scope="module")
def running_supervisor(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path_factory.mktemp("local") / "var")
    supervisor.start()
    yield supervisor
    supervisor.close()


@pytest.fixture
def supervisor(running_supervisor: Supervisor, settings: Any) -> Iterator[Supervisor]:
    """A real one, running, with nothing wanted of it; tests that end its process take one of their own."""
    settings.VAR_DIR = running_supervisor.var_dir
    yield running_supervisor
    running_supervisor.clear()


@pytest.fixture
def own_supervisor(var_dir: Path, django_db_setup: None) -> Iterator[Supervisor]:
    """A real one for one test, not started."""
    supervisor = Supervisor(var_dir)
    yield supervisor
    supervisor.close()


@pytest.fixture
async def router() -> AsyncIterator[Router]:
    """Reads its table only when told to."""
    router = Router(refresh_seconds=3600)
    yield router
    await router.stop()
