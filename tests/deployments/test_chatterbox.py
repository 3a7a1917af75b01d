"""Chatterbox as a deployment: from a request to the platform to sound, with a tiny checkpoint."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.deployments import reconciliation, services
from apps.deployments.models import Deployment
from apps.deployments.states import State
from tests.deployments.local_provider import CHECKOUT, Supervisor, eventually
from tests.platform import Server, Tenant, forgotten_afterwards, make_tenant, wait_for_route
from tests.tts.voices.conftest import add_voice

pytestmark = [pytest.mark.chatterbox, pytest.mark.timeout(300)]

TEXT = "Hello there. This is a voice."
PATH_OF_SMALL = os.pathsep.join([str(CHECKOUT / "tests/chatterbox/small"), str(CHECKOUT)])


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the environment of Chatterbox's tests, in which upstream's models are small."""
    made = subprocess.run(
        [sys.executable, "requirements/chatterbox_env.py"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    script = tmp_path_factory.mktemp("python") / "python"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(PATH_OF_SMALL)} exec {shlex.quote(made.stdout.strip())} "$@"\n'
    )
    script.chmod(0o755)
    return script


@pytest.fixture(scope="module")
def supervisor(
    python: Path, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Supervisor]:
    models = tmp_path_factory.mktemp("models")
    command = [python, "-W", "ignore", "-m", "tests.chatterbox.tiny", models / "chatterbox", "chatterbox"]
    subprocess.run(command, cwd=CHECKOUT, check=True)
    var_dir = tmp_path_factory.mktemp("local") / "var"
    settings = {
        "LOCAL_CHATTERBOX_PYTHON": str(python),
        "LOCAL_MODELS_DIR": str(models),
        "MAX_BATCH": "8",
        "THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    running = Supervisor(var_dir, settings)
    running.start()
    yield running
    running.close()


@pytest.fixture
def tenant(transactional_db: None, server: Server) -> Iterator[Tenant]:
    tenant = make_tenant(server, "speaker")
    with tenant.client, forgotten_afterwards(server):
        yield tenant


@pytest.fixture
def deployed(tenant: Tenant, supervisor: Supervisor, settings: Any) -> Iterator[Deployment]:
    """Ready, and known to the server."""
    settings.VAR_DIR = supervisor.var_dir
    deployment = services.create_deployment(organization=None, name="chatterbox", engine="chatterbox")

    def is_ready() -> bool:
        reconciliation.reconcile_deployment(deployment.pk)
        deployment.refresh_from_db()
        assert deployment.state != State.FAILED, deployment.error_message
        return deployment.state == State.READY

    eventually(is_ready, seconds=120)
    wait_for_route(tenant, model="chatterbox")
    yield deployment
    supervisor.clear()


def seconds_of(wav: bytes) -> float:
    with wave.open(io.BytesIO(wav)) as file:
        return file.getnframes() / file.getframerate()


def test_speaks_whole_streamed_and_eight_at_once_and_clones(tenant: Tenant, deployed: Deployment) -> None:
    whole = tenant.generate(TEXT, model="chatterbox", seed=1)
    assert whole.status_code == 200, whole.text
    assert seconds_of(whole.content) > 1

    assert len(streamed(tenant, seed=1)) == len(pcm(tenant, 1))

    with ThreadPoolExecutor(8) as callers:
        together = list(callers.map(lambda seed: pcm(tenant, seed), range(8)))
    assert len(set(together)) == 8
    alone, among_others = (
        np.frombuffer(samples, "<i2").astype(int) for samples in (pcm(tenant, 1), together[1])
    )
    assert len(alone) == len(among_others)
    assert np.abs(alone - among_others).max() < 33  # a thousandth of full scale

    record = tenant.settled()
    assert (record.model, record.state) == ("chatterbox", "ok")

    cloned = tenant.generate(TEXT, voice=add_voice(tenant), seed=1)
    assert cloned.status_code == 200, cloned.text
    assert cloned.content != whole.content


def pcm(tenant: Tenant, seed: int) -> bytes:
    answer = tenant.generate(TEXT, model="chatterbox", seed=seed, format="pcm")
    assert answer.status_code == 200, answer.text
    return answer.content


def streamed(tenant: Tenant, **body: object) -> bytes:
    """What comes in parts, of which there are several."""
    request = {"text": TEXT, "model": "chatterbox", "stream": True, "format": "pcm", **body}
    headers = {"X-API-Key": tenant.live}
    with tenant.client.stream("POST", "/generate", json=request, headers=headers) as answer:
        assert answer.status_code == 200
        parts = list(answer.iter_raw())
    assert len(parts) > 1
    return b"".join(parts)
