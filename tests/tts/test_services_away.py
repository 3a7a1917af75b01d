"""PostgreSQL and Redis killed and started again under a running speech process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from apps.core.embedded.services import Services
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import CHECKOUT, SENTENCES, Server, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LONG = "A tone of some length, and then some more of it. " * 20
_SEED = """
import sys, httpx
from django.utils import timezone
from apps.accounts.models import User
from apps.accounts.services import create_organization
from apps.deployments.models import Deployment, Worker
from apps.keys.services import issue_key

url = sys.argv[1]
owner = User.objects.create_user("owner@example.com", "correct horse battery")
organization = create_organization(name="Acme", owner=owner)
ready = httpx.get(url + "/ready").json()
deployment = Deployment.objects.create(
    name="tone", engine="tone", capabilities=ready, state=Deployment.State.READY
)
Worker.objects.create(
    deployment=deployment, provider_id="tone", url=url, state=Worker.State.READY, capabilities=ready,
    last_seen_at=timezone.now(),
)
scopes = ["speech", "manage"]
print(*(
    issue_key(organization=organization, name=mode, mode=mode, scopes=scopes, created_by=owner).secret
    for mode in ("live", "test")
))
"""


@dataclass
class Stack:
    """A platform with services of its own, which a test may kill."""

    services: Services
    server: Server
    client: httpx.Client
    live: str
    test: str

    def generate(self, text: str = SENTENCES, *, key: str | None = None, **body: Any) -> httpx.Response:
        return self.client.post(
            "/generate", json={"text": text, **body}, headers={"X-API-Key": key or self.live}
        )

    def records(self) -> list[dict[str, Any]]:
        """Newest first."""
        answer = self.client.get("/api/usage", headers={"X-API-Key": self.live})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def settled(self) -> dict[str, Any]:
        def ask() -> dict[str, Any] | None:
            answer = self.client.get("/api/usage", headers={"X-API-Key": self.live})
            newest = answer.json()["results"][:1] if answer.status_code == 200 else []
            return newest[0] if newest and newest[0]["state"] != "open" else None

        record = until(ask, seconds=20, what="settlement")
        assert record is not None
        return record


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    folder = tmp_path_factory.mktemp("tone")
    with running_worker(folder, ENGINE="tone", THREADS="2", TONE_REAL_TIME_FACTOR="0.1") as process:
        yield process


@pytest.fixture(scope="module")
def stack(worker: WorkerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    services = Services.start(folder, durable=False)
    try:
        environ = {**os.environ, **services.urls, "VAR_DIR": str(folder)}
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "-v0"], env=environ, cwd=CHECKOUT, check=True)
        script = f"import django; django.setup()\n{_SEED}"
        environ["DJANGO_SETTINGS_MODULE"] = "voiceflow.settings"
        seeded = subprocess.run(
            [sys.executable, "-c", script, worker.url],
            env=environ,
            cwd=CHECKOUT,
            check=True,
            capture_output=True,
            text=True,
        )
        live, test = seeded.stdout.split()
        server = Server(folder, services.urls["DATABASE_URL"], REDIS_URL=services.urls["REDIS_URL"])
        try:
            server.wait_until_up()
            with httpx.Client(base_url=server.url, timeout=30) as client:
                yield Stack(services, server, client, live, test)
        finally:
            server.stop()
    finally:
        services.stop()


def kill(process: Any) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10)


def test_redis_killed_and_back(stack: Stack) -> None:
    redis = stack.services.redis
    assert redis is not None
    assert stack.generate().status_code == 200
    kill(redis.process)
    assert stack.generate().status_code == 200, "live keys go on without Redis"
    refused = stack.generate(key=stack.test)
    assert refused.status_code in {404, 503}
    ready = stack.client.get("/ready")
    assert (ready.status_code, ready.json()["redis"], ready.json()["database"]) == (503, "away", "ok")
    redis.start()
    until(lambda: stack.client.get("/ready").status_code == 200, what="readiness")
    assert stack.generate().status_code == 200
    assert stack.settled()["state"] == "ok"


def test_postgres_killed_and_back(stack: Stack) -> None:
    postgres = stack.services.postgres
    assert postgres is not None
    assert stack.generate().status_code == 200
    kill(postgres.process)
    refused = stack.generate()
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["error"]["request_id"] == refused.headers["X-Request-Id"]
    assert stack.client.get("/ready").json()["database"] == "away"
    for path in ("/accounts/login/", "/api/keys", "/api/usage", "/admin/"):
        page = stack.client.get(path, headers={"X-API-Key": stack.live}, follow_redirects=True)
        assert page.status_code in {200, 503}, (path, page.status_code)
    postgres.start()
    until(lambda: stack.generate().status_code == 200, seconds=20, what="speech")
    assert stack.settled()["state"] == "ok"
    assert all(record["state"] in {"ok", "failed"} for record in stack.records())


def test_a_stream_outlives_the_database_and_is_settled_when_it_is_back(stack: Stack) -> None:
    postgres = stack.services.postgres
    assert postgres is not None
    request = stack.client.build_request(
        "POST", "/generate", json={"text": LONG, "stream": True}, headers={"X-API-Key": stack.live}
    )
    response = stack.client.send(request, stream=True)
    chunks = response.iter_raw()
    next(chunks)
    kill(postgres.process)
    assert sum(map(len, chunks)) > 1_000_000
    postgres.start()
    record = stack.settled()
    assert (record["state"], record["characters_charged"]) == ("ok", len(LONG))
