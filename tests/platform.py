"""pytest plugin: the platform as it runs, for tests that speak HTTP to it.

`server` is a real gunicorn with the lean door over the test database, `django_door` one without it;
`cpu_worker` and `tone_worker` of `tests.gpu_worker` speak for it. `acme` and `rival` are two organizations
with keys; rows are committed, so that the server sees them, and flushed after each test.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from apps.core import processes
from tests.gpu_worker.worker_process import WorkerProcess, running_worker

if TYPE_CHECKING:
    from apps.accounts.models import Membership, Organization, User
    from apps.deployments.models import Deployment, Worker
    from apps.usage.models import UsageRecord

T = TypeVar("T")
CHECKOUT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
SENTENCES = "Hello there. This is VoiceFlow speaking."


def until(ask: Callable[[], T], *, seconds: float = 10.0, what: str = "it") -> T:
    """The first true answer; fails the test where none comes in time."""
    give_up_at = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < give_up_at, f"waited {seconds} s for {what}"
        time.sleep(0.02)
    return answer


class Server:
    """gunicorn as in `make run`, on a free port of loopback."""

    def __init__(self, folder: Path, database_url: str, **environment: str) -> None:
        self.log_path = folder / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.settings = environment
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "BASE_URL": self.url,
            "VAR_DIR": str(folder),
            "LOG_FORMAT": "json",
            "ROUTING_REFRESH_MS": "50",
            **environment,
        }
        self.process = self._spawn()

    def _spawn(self) -> processes.Process:
        options = ["-k", "asgi", "-w", "1", "-b", f"127.0.0.1:{self.port}", "--no-control-socket"]
        command = [sys.executable, "-m", "gunicorn", *options, "voiceflow.asgi:application"]
        return processes.spawn(command, env=self.environment, log=self.log_path, cwd=CHECKOUT)

    def wait_until_up(self) -> None:
        def up() -> bool:
            assert self.process.is_running(), self.log_path.read_text()
            try:
                return httpx.get(f"{self.url}/health").status_code == 200
            except httpx.TransportError:
                return False

        until(up, seconds=START_SECONDS, what="the server")

    def restart(self) -> None:
        self.process = self._spawn()
        self.wait_until_up()

    def log(self) -> str:
        return self.log_path.read_text()

    def stop(self) -> None:
        processes.terminate(self.process, grace_seconds=5)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_database_url() -> str:
    """The URL of the database that pytest-django made for this worker."""
    from django.db import connection

    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


test_database_url.__test__ = False  # type: ignore[attr-defined]


@dataclass
class Tenant:
    """An organization with its owner and its keys, and ways to call the server as it."""

    server: Server
    organization: Organization
    owner: User
    live: str
    test: str
    client: httpx.Client = field(repr=False)

    def generate(self, text: Any = SENTENCES, *, key: str | None = None, **body: Any) -> httpx.Response:
        return self.post({"text": text, **body}, key=key)

    def post(self, body: Any, *, key: str | None = None, **headers: str) -> httpx.Response:
        return self.client.post(
            "/generate", json=body, headers={"X-API-Key": self.live if key is None else key, **headers}
        )

    def api(self, method: str, path: str, *, key: str | None = None, **arguments: Any) -> httpx.Response:
        headers = {"X-API-Key": self.live if key is None else key}
        return self.client.request(method, path, headers=headers, **arguments)

    def models(self) -> list[Any]:
        """Those that it can name."""
        found: list[Any] = self.api("GET", "/v1/models").raise_for_status().json()["data"]
        return found

    def records(self) -> list[UsageRecord]:
        """Newest first."""
        from apps.usage.models import UsageRecord

        return list(UsageRecord.objects.for_organization(self.organization))

    def settled(self, *, seconds: float = 10.0) -> UsageRecord:
        """The newest record, once it is closed."""

        def ask() -> UsageRecord | None:
            found = self.records()
            return found[0] if found and found[0].state != "open" else None

        record = until(ask, seconds=seconds, what="settlement")
        assert record is not None
        return record


@pytest.fixture(scope="session")
def lean_door(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with django_db_blocker.unblock():
        running = Server(tmp_path_factory.mktemp("server"), test_database_url())
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def server(lean_door: Server) -> Server:
    """How the platform is served."""
    return lean_door


@pytest.fixture(scope="session")
def django_door(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The same platform, its speech served by Django's handler too."""
    with django_db_blocker.unblock():
        running = Server(tmp_path_factory.mktemp("door"), test_database_url(), SPEECH_LEAN_DOOR="false")
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def cpu_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    with running_worker(tmp_path_factory.mktemp("platform-cpu"), ENGINE="cpu") as process:
        yield process


@pytest.fixture(scope="session")
def tone_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """A second of tone takes a fifth of a second to make; one request at a time."""
    settings = {"ENGINE": "tone", "THREADS": "1", "TONE_REAL_TIME_FACTOR": "0.2"}
    with running_worker(tmp_path_factory.mktemp("platform-tone"), **settings) as process:
        yield process


def deploy(worker: WorkerProcess, *, name: str, organization: Organization | None = None) -> Worker:
    """Rows as deploying leaves them, for a worker that runs."""
    from django.utils import timezone

    from apps.deployments.models import Deployment, Worker

    capabilities = httpx.get(f"{worker.url}/ready").json()
    deployment: Deployment = Deployment.objects.create(
        name=name,
        organization=organization,
        engine=capabilities["engine"],
        capabilities=capabilities,
        state=Deployment.State.READY,
    )
    return Worker.objects.create(
        deployment=deployment,
        provider_id=name,
        url=worker.url,
        state=Worker.State.READY,
        capabilities=capabilities,
        last_seen_at=timezone.now(),
    )


def make_tenant(server: Server, name: str) -> Tenant:
    from apps.accounts.models import User
    from apps.accounts.services import create_organization
    from apps.keys.services import issue_key

    owner = User.objects.create_user(f"{name}@example.com", "correct horse battery", name=name.title())
    organization = create_organization(name=name.title(), owner=owner)
    keys = {
        mode: issue_key(
            organization=organization, name=mode, mode=mode, scopes=["speech", "manage"], created_by=owner
        ).secret
        for mode in ("live", "test")
    }
    client = httpx.Client(base_url=server.url, timeout=30)
    return Tenant(server, organization, owner, keys["live"], keys["test"], client)


@contextmanager
def forgotten_afterwards(server: Server) -> Iterator[None]:
    """Takes the workers away at the end, and waits until the server knows none: the next test has its own."""
    from apps.deployments.models import Deployment, Run

    yield
    if Deployment.objects.exists():
        Run.objects.all().delete()  # what they cost keeps them
        Deployment.objects.all().delete()
        observer = make_tenant(server, "observer")  # nobody knows yet what this one may do
        with observer.client:
            until(lambda: observer.models() == [], what="the server to forget")


@pytest.fixture
def acme(transactional_db: None, server: Server) -> Iterator[Tenant]:
    tenant = make_tenant(server, "acme")
    with tenant.client, forgotten_afterwards(server):
        yield tenant


@pytest.fixture
def rival(transactional_db: None, server: Server) -> Iterator[Tenant]:
    tenant = make_tenant(server, "rival")
    with tenant.client:
        yield tenant


@pytest.fixture
def cpu(acme: Tenant, cpu_worker: WorkerProcess) -> Worker:
    """A shared deployment with the CPU engine that the server routes to."""
    worker = deploy(cpu_worker, name="shared-cpu")
    wait_for_route(acme, model="hibari")
    return worker


@pytest.fixture
def tone(acme: Tenant, tone_worker: WorkerProcess) -> Worker:
    """A shared deployment with the paced tone engine that the server routes to."""
    tone_worker.wait_until_idle()
    worker = deploy(tone_worker, name="shared-tone")
    wait_for_route(acme, model="tone")
    return worker


def wait_for_route(tenant: Tenant, *, model: str) -> None:
    """Until the server has read the new rows; what that took is forgotten again."""

    def spoken() -> bool:
        response = tenant.generate("Hi.", model=model)
        assert response.status_code in {200, 404, 503}, response.text
        return response.status_code == 200

    until(spoken, what="routing")
    forget_usage(tenant)


def forget_usage(tenant: Tenant) -> None:
    from apps.usage.models import UsageRecord

    until(lambda: all(record.state != "open" for record in tenant.records()), what="settlement")
    UsageRecord.objects.all().delete()


def membership_of(tenant: Tenant, role: str, email: str) -> Membership:
    from apps.accounts.models import Membership, User

    user = User.objects.create_user(email, "correct horse battery")
    return Membership.objects.create(organization=tenant.organization, user=user, role=role)
