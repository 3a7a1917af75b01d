"""A whole platform of its own, every part of which a test may kill: services, speech, Celery, two workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg.rows import dict_row

from apps.core import processes
from apps.core.embedded.services import Services
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import CHECKOUT, Server, until

MONTH_LIMIT = 10_000_000
_SEED = """
import json, sys, httpx
import django; django.setup()
from django.utils import timezone
from apps.accounts.models import User
from apps.accounts.services import create_organization
from apps.deployments.models import Deployment, Worker
from apps.keys.services import issue_key
from apps.usage.models import OrganizationLimits

limit, *urls = sys.argv[1:]
owner = User.objects.create_user("owner@example.com", "correct horse battery")
organization = create_organization(name="Acme", owner=owner)
OrganizationLimits.objects.create(
    organization=organization, requests_per_minute=100_000, concurrent_requests=500,
    characters_per_month=int(limit),
)
ready = httpx.get(urls[0] + "/ready").json()
deployment = Deployment.objects.create(
    name="tone", engine="tone", capabilities=ready, state=Deployment.State.READY, max_replicas=2,
    desired_replicas=2,
)
for number, url in enumerate(urls):
    Worker.objects.create(
        deployment=deployment, provider_id=f"tone-{number}", url=url, state=Worker.State.READY,
        capabilities=ready, last_seen_at=timezone.now(),
    )
key = issue_key(
    organization=organization, name="live", mode="live", scopes=["speech", "manage"], created_by=owner
)
print(organization.pk, key.secret)
"""


@dataclass
class World:
    """`organization_id` has a monthly limit, and `key` speaks for it."""

    services: Services
    server: Server
    workers: list[WorkerProcess]
    environ: dict[str, str]
    folder: Path
    organization_id: str
    key: str
    celery: processes.Process | None = None

    def start_celery(self) -> None:
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "voiceflow.celery", "worker", "--beat"]
        options = ["--schedule", str(self.folder / "schedule"), "--concurrency", "2", "--loglevel", "WARNING"]
        options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        log = self.folder / "celery.log"
        self.celery = processes.spawn([*command, *options], env=self.environ, log=log, cwd=CHECKOUT)

    def kill_celery(self) -> None:
        assert self.celery is not None
        self.celery.kill_group()
        assert self.celery.wait(10)

    def kill_speech(self) -> None:
        """Parent and worker at once: nobody gets to settle anything."""
        self.server.process.kill_group()
        assert self.server.process.wait(10)

    def kill_redis(self) -> None:
        assert self.services.redis is not None
        _kill(self.services.redis.process)

    def start_redis(self) -> None:
        assert self.services.redis is not None
        self.services.redis.start()

    def flush_redis(self) -> None:
        with self.redis() as client:
            client.flushall()

    def stop_postgres(self) -> None:
        assert self.services.postgres is not None
        _kill(self.services.postgres.process)

    def start_postgres(self) -> None:
        assert self.services.postgres is not None
        self.services.postgres.start()

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.environ["REDIS_URL"])

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """All rows, by request id."""
        found: dict[str, list[dict[str, Any]]] = {}
        with psycopg.connect(self.environ["DATABASE_URL"], row_factory=dict_row) as connection:
            for row in connection.execute("SELECT * FROM usage_usagerecord"):
                found.setdefault(row["request_id"], []).append(row)
        return found

    def charged(self) -> int:
        return sum(row["characters_charged"] for rows in self.records().values() for row in rows)

    def held(self) -> tuple[int, int]:
        """Leases, and characters reserved of the month, as admission would count them."""
        tag = f"{{{self.organization_id}}}"
        with self.redis() as client:
            seconds, micros = client.time()
            now = seconds * 1000 + micros // 1000
            leases = client.zcount(f"{tag}:leases:live", f"({now}", "+inf")
            month = f"{datetime.now(UTC):%Y-%m}"
            reserved = client.zrangebyscore(f"{tag}:reserved:live:{month}", f"({now}", "+inf")
        return leases, sum(int(one.rpartition(b":")[2]) for one in reserved)

    def is_settled(self) -> bool:
        is_open = any(row["state"] == "open" for rows in self.records().values() for row in rows)
        return not is_open and self.held() == (0, 0)


def _kill(process: Any) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10)


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    with ExitStack() as closing:
        settings = {"ENGINE": "tone", "THREADS": "4", "TONE_BATCH": "32", "TONE_REAL_TIME_FACTOR": "0.1"}
        workers = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            workers.append(closing.enter_context(running_worker(folder / name, **settings)))
        services = Services.start(folder, durable=False)
        closing.callback(services.stop)
        environ = {**os.environ, **services.urls, "VAR_DIR": str(folder)}
        environ["DJANGO_SETTINGS_MODULE"] = "voiceflow.settings"
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environ, cwd=CHECKOUT, check=True)
        urls = [worker.url for worker in workers]
        seeded = subprocess.run(
            [sys.executable, "-c", _SEED, str(MONTH_LIMIT), *urls],
            env=environ,
            cwd=CHECKOUT,
            check=True,
            capture_output=True,
            text=True,
        )
        organization_id, key = seeded.stdout.split()
        server = Server(folder, services.urls["DATABASE_URL"], REDIS_URL=services.urls["REDIS_URL"])
        world = World(services, server, workers, environ, folder, organization_id, key)
        closing.callback(lambda: world.server.stop())
        closing.callback(lambda: world.kill_celery())
        server.wait_until_up()
        world.start_celery()
        until(lambda: world.celery is not None and world.celery.is_running(), what="Celery")
        yield world
