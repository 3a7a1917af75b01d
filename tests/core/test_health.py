"""/health, /ready and /ready/speech."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.deployments.models import Deployment, Worker

CHECKOUT = Path(__file__).resolve().parent.parent.parent
ASK = """
import django, json, sys
django.setup()
from django.test import Client
for path in sys.argv[1:]:
    response = Client().get(path)
    print(json.dumps([response.status_code, response.json()]))
"""


@pytest.fixture(autouse=True)
def static_root(settings: Any) -> None:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing


def shared(state: str) -> Deployment:
    deployment: Deployment = Deployment.objects.create(name="shared-cpu", engine="cpu", state=state)
    return deployment


def ready_worker(deployment: Deployment) -> None:
    Worker.objects.create(
        deployment=deployment,
        provider_id="one",
        url="http://127.0.0.1:1",
        state="ready",
        last_seen_at=timezone.now(),
    )


def test_health_asks_nobody(client: Client) -> None:
    # Without the mark `django_db` a query fails this test.
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response.headers["X-Request-Id"]


def test_health_answers_a_probe_that_asks_by_address(client: Client) -> None:
    assert client.get("/health", headers={"host": "10.1.2.3:8080"}).status_code == 200


def test_ready_names_what_it_asked(client: Client, db: None) -> None:
    response = client.get("/ready")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "database": "ok", "redis": "ok", "speech": "none"}


def test_redis_away_is_named(client: Client, db: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "ok", "redis": "away", "speech": "none"}


def test_database_away_is_named_and_health_goes_on(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    environ = os.environ | {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "DJANGO_SETTINGS_MODULE": "voiceflow.settings",
        "VAR_DIR": str(tmp_path),
        "ALLOWED_HOSTS": "testserver",
    }
    asked = subprocess.run(
        [sys.executable, "-c", ASK, "/ready", "/ready/speech", "/health"],
        cwd=CHECKOUT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    ready, speech, health = (json.loads(line) for line in asked.stdout.splitlines())
    assert ready == [503, {"status": "unavailable", "database": "away", "redis": "ok", "speech": "none"}]
    assert speech == [503, {"speech": "none"}]
    assert health == [200, {"status": "ok"}]


def test_speech_is_ready_with_a_ready_worker(client: Client, db: None) -> None:
    ready_worker(shared("ready"))
    assert client.get("/ready").json()["speech"] == "ready"
    response = client.get("/ready/speech")
    assert (response.status_code, response.json()) == (200, {"speech": "ready"})


def test_asleep_is_not_ready_but_said(client: Client, db: None) -> None:
    shared("asleep")
    assert client.get("/ready").status_code == 200
    response = client.get("/ready/speech")
    assert (response.status_code, response.json()) == (503, {"speech": "asleep"})


@pytest.mark.parametrize("state", ["requested", "draining", "stopped"])
def test_a_deployment_that_does_not_serve_is_none(client: Client, db: None, state: str) -> None:
    ready_worker(shared(state))
    response = client.get("/ready/speech")
    assert (response.status_code, response.json()) == (503, {"speech": "none"})
