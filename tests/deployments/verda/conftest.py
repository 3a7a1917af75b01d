"""A client of a stand-in, both on one clock: nothing here sleeps for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from apps.deployments.providers.verda import Bounds, VerdaClient
from apps.deployments.providers.verda.types import ContainerSpec, InstanceSpec
from tests.fakes.verda import FakeVerda

IMAGE = "ghcr.io/wallscaler/chatterbox-tts:v1.1.0"
QUICK = Bounds(connect_timeout_seconds=2.0, read_timeout_seconds=2.0)


@dataclass
class Time:
    """Seconds that pass by sleeping only; `slept` are the pauses asked for."""

    verda: FakeVerda
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.verda.clock.now()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.verda.clock.advance(seconds)


@pytest.fixture
def verda() -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        yield fake


@pytest.fixture
def time(verda: FakeVerda) -> Time:
    return Time(verda)


Make = Callable[..., VerdaClient]


@pytest.fixture
def make(verda: FakeVerda, time: Time) -> Iterator[Make]:
    """Clients of the stand-in, with whatever differs."""
    made: list[VerdaClient] = []

    def make_client(**differing: Any) -> VerdaClient:
        options: dict[str, Any] = {
            "client_id": verda.client_id,
            "client_secret": verda.client_secret,
            "base_url": verda.base_url,
            "bounds": QUICK,
            "sleep": time.sleep,
            "clock": time.now,
            "jitter": lambda: 0.5,
        }
        made.append(VerdaClient(**options | differing))
        return made[-1]

    yield make_client
    for client in made:
        client.close()


@pytest.fixture
def client(make: Make) -> VerdaClient:
    return make()


@pytest.fixture
def spec() -> ContainerSpec:
    return ContainerSpec(name="vf-tts", image=IMAGE, compute_name="A100 40GB")


@pytest.fixture
def machine() -> InstanceSpec:
    return InstanceSpec(
        instance_type="1V100.6V",
        image="ubuntu-24.04-cuda-12.8-open-docker",
        hostname="vf-1",
        description="speech worker",
        location_code="FIN-03",
        is_spot=True,
    )
