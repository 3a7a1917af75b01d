"""A platform and workers that clone: with media on its disk, or in a bucket."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.deployments.models import Worker
from apps.voices import statements
from tests.gpu_worker.voices.recordings import loudest_hertz, recording
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import Tenant, deploy, wait_for_route

RATE = 24_000


@pytest.fixture(scope="session")
def cloning_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """Tone at the pitch of a recording."""
    folder = tmp_path_factory.mktemp("platform-cloning")
    with running_worker(folder, **cloning_environment(folder)) as process:
        yield process


def cloning_environment(folder: Path) -> dict[str, str]:
    return {
        "ENGINE": "tone",
        "CONSENT_SECRET": os.environ["CONSENT_SECRET"],
        "VOICE_CACHE": str(folder / "voices"),
    }


@pytest.fixture
def cloning(acme: Tenant, cloning_worker: WorkerProcess) -> Worker:
    """A shared deployment that clones."""
    cloning_worker.wait_until_idle()
    worker = deploy(cloning_worker, name="shared-cloning")
    wait_for_route(acme, model="tone")
    return worker


@pytest.fixture
def slow_cloning(acme: Tenant, tmp_path: Path) -> Iterator[Worker]:
    """One that speaks as slowly as a voice does."""
    environment = cloning_environment(tmp_path) | {"TONE_REAL_TIME_FACTOR": "1"}
    with running_worker(tmp_path, **environment) as process:
        worker = deploy(process, name="slow-cloning")
        wait_for_route(acme, model="tone")
        yield worker


def add_voice(tenant: Tenant, *, name: str = "Ada", hertz: float = 330) -> str:
    """Through the API; answers its id."""
    response = tenant.api(
        "POST",
        "/api/voices",
        data={"name": name, "consent": "true", "consent_version": statements.current_consent().version},
        files={"file": ("voice.wav", recording(hertz=hertz))},
    )
    assert response.status_code == 201, response.text
    voice_id: str = response.json()["id"]
    return voice_id


def hertz_of(response: Any) -> float:
    """The pitch of a whole WAV."""
    assert response.status_code == 200, response.text
    return loudest_hertz(np.frombuffer(response.content[44:], "<i2"), RATE)


def seconds_until(ask: Callable[[], Any], *, limit: float) -> float:
    """How long it takes until the answer is true."""
    began = time.monotonic()
    while not ask():
        assert time.monotonic() - began < limit, f"not within {limit} s"
        time.sleep(0.01)
    return time.monotonic() - began
