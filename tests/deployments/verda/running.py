"""The platform as it runs at the stand-in of Verda, with real workers: what tests of it share."""

from __future__ import annotations

import io
import struct
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest

from apps.deployments.models import Run
from tests.deployments.verda.hall import Hall
from tests.fakes.verda import FakeVerda
from tests.platform import (
    SENTENCES,
    Server,
    Tenant,
    forgotten_afterwards,
    free_port,
    make_tenant,
    test_database_url,
)
from tests.tts.jobs.celery_worker import CeleryWorker

# An image of a minute is there in three seconds.
SPEED = 20.0
STEP_SECONDS = 60.0
LONG = "This is one of the many sentences that are spoken while something happens. " * 60
PATIENT = {"Prefer": "wait=60"}


@dataclass
class Platform:
    """One deployment of acme's at the stand-in, asked and watched through the public API alone."""

    acme: Tenant
    verda: FakeVerda
    hall: Hall
    id: str = ""
    model: str = "hibari"

    @property
    def path(self) -> str:
        return f"/api/deployments/{self.id}"

    @property
    def name(self) -> str:
        return f"vf-{self.id.replace('-', '')}"

    # ---- the life of it -------------------------------------------------------------------------------
    def deploy(self, kind: str, **more: Any) -> None:
        asked = {"name": "reader", "engine": "cpu", "kind": kind, "gpu": "a100-40gb", **more}
        answer = self.acme.api("POST", "/api/deployments", json=asked)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        self.until("ready")

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.acme.api("GET", self.path).raise_for_status().json()
        assert shown["state"] != "failed", shown["error"]
        return shown

    def until(self, state: str) -> None:
        eventually(lambda: self.shown()["state"] == state, what=f"it to be {state}")

    def until_asleep(self) -> None:
        """Until all know that it sleeps, and it costs nothing."""
        self.until("asleep")
        metrics = lambda: self.acme.api("GET", f"{self.path}/metrics").json()  # noqa: E731
        eventually(lambda: not metrics()["workers"], what="its routers to know")
        replicas = self.verda.containers[self.name].replicas
        eventually(lambda: not replicas.live, what="the end of its replicas")
        self.costs_nothing_more()

    def update_image(self) -> None:
        """Once all that serves is of the new image."""
        self.acme.api("PATCH", self.path, json={"image": "ghcr.io/acme/worker:2.0.0"}).raise_for_status()
        assert self.shown()["state"] == "updating"
        self.until("ready")
        eventually(self.is_new, what="the end of the old one")

    def is_new(self) -> bool:
        return self.hall.images(self.name) == {"ghcr.io/acme/worker:2.0.0"}

    def delete(self) -> None:
        assert self.acme.api("DELETE", self.path).status_code == 204
        gone = lambda: self.acme.api("GET", self.path).status_code == 404  # noqa: E731
        eventually(gone, what="its end")
        eventually(self.nothing_is_left, what="the end of what it had")
        self.costs_nothing_more()

    def nothing_is_left(self) -> bool:
        kept = self.verda.state.kept
        things = [self.verda.containers, self.verda.instances, kept["secrets"], kept["scripts"]]
        return not any([*things, kept["volumes"], Run.objects.filter(ended_at=None).exists()])

    def costs_nothing_more(self) -> None:
        bill = self.verda.bill()
        assert bill > 0
        self.verda.clock.advance(600)
        assert self.verda.bill() == bill

    # ---- speech ---------------------------------------------------------------------------------------
    def speaks(self, **headers: str) -> None:
        answer = self.acme.post({"text": SENTENCES, "model": self.model}, **headers)
        assert answer.status_code == 200, answer.text
        assert 2 < audible_seconds(answer.content) < 6
        self.is_charged()

    def streams(self) -> None:
        with self.streaming(SENTENCES) as answer:
            assert answer.status_code == 200, answer.read()
            assert 2 < audible_seconds(answer.read()) < 6
        self.is_charged()

    def is_charged(self) -> None:
        record = self.acme.settled()
        assert (str(record.deployment_id), record.state) == (self.id, "ok")

    def streaming(self, text: str) -> Any:
        body = {"text": text, "model": self.model, "stream": True}
        return self.acme.client.stream(
            "POST", "/generate", json=body, headers={"X-API-Key": self.acme.live}, timeout=60
        )

    @contextmanager
    def nobody_fails(self) -> Iterator[None]:
        """Meanwhile two callers without patience ask and ask again."""
        is_over, answers = threading.Event(), list[httpx.Response]()

        def asks() -> None:
            while not is_over.wait(0.2):
                answers.append(self.acme.generate("Is anybody there?", model=self.model))

        callers = [threading.Thread(target=asks) for _ in range(2)]
        for caller in callers:
            caller.start()
        try:
            yield
        finally:
            is_over.set()
            for caller in callers:
                caller.join()
        assert len(answers) > 10
        assert {answer.status_code for answer in answers} == {200}, [
            answer.text for answer in answers if answer.status_code != 200
        ]
        assert all(audible_seconds(answer.content) > 0.5 for answer in answers)


def eventually(ask: Callable[[], bool], *, what: str) -> None:
    """Asks at ease: what is asked runs beside."""
    give_up_at = time.monotonic() + STEP_SECONDS
    while not ask():
        assert time.monotonic() < give_up_at, f"waited {STEP_SECONDS:g} s for {what}"
        time.sleep(0.2)


def audible_seconds(wav: bytes) -> float:
    """Of a WAV, whole or streamed, that is not silent."""
    if struct.unpack_from("<I", wav, 40)[0] == 0xFFFFFFFF:
        samples = np.frombuffer(wav[44:], "<i2")
    else:
        with wave.open(io.BytesIO(wav)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.sqrt(np.mean((samples / 32768.0) ** 2)) > 0.02
    return len(samples) / 24_000


@pytest.fixture(scope="module")
def verda() -> Iterator[FakeVerda]:
    with FakeVerda(speed=SPEED) as fake:
        yield fake


@pytest.fixture(scope="module")
def hall(verda: FakeVerda, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with Hall(verda, tmp_path_factory.mktemp("hall"), free_port()) as hall:
        yield hall


@pytest.fixture(scope="module")
def server(
    verda: FakeVerda,
    hall: Hall,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A platform of its own, since what it is set up for is read at its start."""
    with django_db_blocker.unblock():
        running = Server(
            tmp_path_factory.mktemp("verda"),
            test_database_url(),
            VERDA_CLIENT_ID=verda.client_id,
            VERDA_CLIENT_SECRET=verda.client_secret,
            VERDA_BASE_URL=verda.base_url,
            VERDA_INFERENCE_KEY=verda.inference_key,
            VERDA_WORKER_PORT=str(hall.port),
            VERDA_CALLS_A_SECOND="100",
            DEFAULT_WORKER_IMAGE="ghcr.io/acme/worker:1.0.0",
        )
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture
def platform(transactional_db: None, server: Server, verda: FakeVerda, hall: Hall) -> Iterator[Platform]:
    tenant = make_tenant(server, "acme")
    with tenant.client, forgotten_afterwards(server), CeleryWorker(server):
        yield Platform(tenant, verda, hall)
