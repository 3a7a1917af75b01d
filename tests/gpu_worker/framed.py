"""Reading framed answers in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import httpx

from gpu_worker.protocol import STREAM_MEDIA_TYPE, Audio, FrameReader, Message

ACCEPT = {"Accept": STREAM_MEDIA_TYPE}


def speak(url: str, **request: object) -> list[Message]:
    """All messages of one framed answer."""
    response = httpx.post(f"{url}/generate", json=request, headers=ACCEPT, timeout=30)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == STREAM_MEDIA_TYPE
    return FrameReader().feed(response.content)


@contextmanager
def speaking(url: str, **request: object) -> Iterator[Iterator[Message]]:
    """The messages of a framed answer as they come; leaving the block closes the connection."""
    with httpx.stream("POST", f"{url}/generate", json=request, headers=ACCEPT, timeout=30) as response:
        assert response.status_code == 200
        reader = FrameReader()
        yield (message for data in response.iter_raw() for message in reader.feed(data))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns once the condition, which lies in another process, holds."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def audio_of(messages: list[Message]) -> bytes:
    """The audio of an answer, joined."""
    return b"".join(message.data for message in messages if isinstance(message, Audio))
