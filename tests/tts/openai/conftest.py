"""OpenAI's own clients, pointed at the platform."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator

import openai
import pytest

from tests.platform import Server, Tenant, until


@pytest.fixture
def client(acme: Tenant) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{acme.server.url}/v1", api_key=acme.live) as made:
        yield made


@pytest.fixture
async def async_client(acme: Tenant) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{acme.server.url}/v1", api_key=acme.live) as made:
        yield made


class Trace:
    """One id for all attempts that an SDK makes of one call, by which the server's log counts them."""

    def __init__(self, server: Server) -> None:
        self.id = f"trace-{uuid.uuid4().hex}"
        self.headers = {"X-Request-Id": self.id}
        self._server = server

    def attempts(self, expected: int) -> None:
        """Asserts how many requests came, once that many were answered."""
        until(lambda: self._count() >= expected, what="the log's lines")
        assert self._count() == expected

    def _count(self) -> int:
        lines = [json.loads(line) for line in self._server.log().splitlines() if self.id in line]
        refused = sum(line["event"] == "request" for line in lines)
        # One that fails before its first audio is refused, too.
        return refused + sum(line["event"] == "speech" and line["state"] != "failed" for line in lines)


@pytest.fixture
def trace(server: Server) -> Trace:
    return Trace(server)
