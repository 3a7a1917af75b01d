from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.webhooks.services import IssuedSecret, create_endpoint
from tests.cast import acme, alice, bob, charlie, globex
from tests.webhooks.receiver import Receiver, running_receiver

__all__ = ["acme", "alice", "bob", "charlie", "globex"]


@pytest.fixture
def loopback(settings: Any) -> None:
    """What tests receive on may be sent to."""
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver(loopback: None) -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def hooked(acme: Organization, receiver: Receiver) -> IssuedSecret:
    """An endpoint of acme for all events, which receives."""
    return create_endpoint(organization=acme, url=receiver.url, created_by=None)
