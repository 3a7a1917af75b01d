"""Clients of one test, which end with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.core.outbound.client import OutboundClient

from .certificates import Authority
from .receivers import LOOPBACK

MakeClient = Callable[..., OutboundClient]


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    made: list[OutboundClient] = []

    def make(**options: Any) -> OutboundClient:
        made.append(OutboundClient(**options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> OutboundClient:
    """One that may dial loopback."""
    return make_client(allowed_networks=LOOPBACK)


@pytest.fixture
def strict(make_client: MakeClient) -> OutboundClient:
    """One that may dial what everybody can reach, and nothing else."""
    return make_client(allowed_networks=())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))
