"""ElevenLabs' own clients, pointed at the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from elevenlabs import AsyncElevenLabs, ElevenLabs

from tests.platform import Tenant
from tests.tts.voices.conftest import cloning, cloning_worker

__all__ = ["cloning", "cloning_worker"]


@pytest.fixture
def client(acme: Tenant) -> Iterator[ElevenLabs]:
    with httpx.Client(timeout=60) as http:
        yield client_of(acme, http)


@pytest.fixture
async def async_client(acme: Tenant) -> AsyncIterator[AsyncElevenLabs]:
    async with httpx.AsyncClient(timeout=60) as http:
        yield AsyncElevenLabs(api_key=acme.live, base_url=f"{acme.server.url}/elevenlabs", httpx_client=http)


def client_of(tenant: Tenant, http: httpx.Client, *, key: str | None = None) -> ElevenLabs:
    return ElevenLabs(
        api_key=key or tenant.live, base_url=f"{tenant.server.url}/elevenlabs", httpx_client=http
    )
