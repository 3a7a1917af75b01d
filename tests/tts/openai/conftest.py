"""OpenAI's own clients, pointed at the platform."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator

import openai
import pytest

from tests.platform import Server, Tenant, until

Attempts = Callable[[str, int], None]


@pytest.fixture
def client(acme: Tenant) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{acme.server.url}/v1", api_key=acme.live) as made:
        yield made


@pytest.fixture
async def async_client(acme: Tenant) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{acme.server.url}/v1", api_key=acme.live) as made:
        yield made


@pytest.fixture
def attempts(server: Server) -> Attempts:
    """Asserts how many requests with that id came to the server and were answered, by its log."""

    def count(request_id: str) -> int:
        lines = (json.loads(line) for line in server.log().splitlines() if request_id in line)
        return sum(line["event"] in {"request", "speech"} for line in lines)

    def check(request_id: str, expected: int) -> None:
        until(lambda: count(request_id) >= expected, what="the log's lines")
        assert count(request_id) == expected

    return check
