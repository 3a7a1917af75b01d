"""Bounds on bodies, at the door of every request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest

from apps.core.asgi import BodyLimit, Message, Receive, Scope, Send


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads its body, waits for its client to leave, and says how much there was."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    assert (await receive())["type"] == "http.disconnect"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def ask(
    messages: Iterable[tuple[float, Message]], **headers: str
) -> tuple[int, bytes, dict[bytes, bytes]]:
    """Each message comes so many seconds after the one before; then nothing comes."""
    coming, sent = iter(messages), []

    async def receive() -> Message:
        for seconds, message in coming:
            await asyncio.sleep(seconds)
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "path": "/",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    async with asyncio.timeout(5):
        await BodyLimit(echo, max_bytes=10, stall_seconds=0.2)(scope, receive, send)
    start, body = sent
    return start["status"], body["body"], dict(start["headers"])


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


LEFT: Message = {"type": "http.disconnect"}


async def test_a_body_within_bounds_passes_and_its_client_may_stay() -> None:
    parts = [(0.0, part(b"12345")), (0.05, part(b"67890", more=False)), (0.5, LEFT)]
    assert (await ask(parts))[:2] == (200, b"10")


@pytest.mark.parametrize("parts", [[], [(0.0, part(b"12345"))]])
async def test_one_that_stalls_is_refused(parts: list[tuple[float, Message]]) -> None:
    status, body, headers = await ask(parts, **{"x-request-id": "req_stalled"})
    assert status == 408
    assert json.loads(body)["error"] == {
        "code": "request_timeout",
        "message": "The rest of the body did not come.",
        "param": None,
        "request_id": "req_stalled",
    }
    assert headers[b"connection"] == b"close"


async def test_one_that_turns_out_too_large_is_refused() -> None:
    status, body, _ = await ask([(0.0, part(b"123456")), (0.0, part(b"123456", more=False))])
    assert (status, json.loads(body)["error"]["code"]) == (413, "payload_too_large")


async def test_one_that_says_it_is_too_large_is_refused_unread() -> None:
    status, body, _ = await ask([], **{"content-length": "11"})
    assert (status, json.loads(body)["error"]["code"]) == (413, "payload_too_large")
