"""A client that leaves at the one moment in which its leaving is not heard."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from apps.core.asgi import Message
from apps.tts.asgi import _answer_while_there
from apps.tts.calls import Answer, Call
from apps.tts.endpoints import Endpoint
from apps.tts.runtime import Runtime
from apps.tts.surfaces import NATIVE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    yield await Runtime.current()
    await Runtime.stop()


class Deaf(Endpoint):
    """Goes on where it is cancelled, as what awaits `asyncio.wait_for` may."""

    surface = NATIVE

    def __init__(self) -> None:
        self.is_dropped = False
        self.is_read = False

    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
        return Answer(stream=self._stream(), drop=self._drop)

    async def _stream(self) -> AsyncGenerator[bytes]:
        self.is_read = True
        yield b""

    def _drop(self) -> None:
        self.is_dropped = True


async def test_the_answer_is_dropped(runtime: Runtime) -> None:
    endpoint, sent = Deaf(), list[Message]()
    call = Call(
        method="POST", path="/generate", headers={}, body=b"", request_id="req_1", started=time.perf_counter()
    )

    async def receive() -> Message:
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(5):
        await _answer_while_there(endpoint, call, receive, send)
    assert (endpoint.is_dropped, endpoint.is_read, sent) == (True, False, [])
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
