"""Two hundred streams, some before, some during and some after what happens in their midst."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import aiohttp

REQUESTS = 200
AT_ONCE = 25
# As many have begun when it happens; by then a few have ended, and most of those at once are in the middle.
HAPPENS_AT = 60
BYTES_A_MS = 48


@dataclass
class Asked:
    """One request as its client saw it. `status` 0 is a connection that failed."""

    number: int
    text: str
    request_id: str
    status: int = 0
    received_bytes: int = 0
    is_whole: bool = False


def text_of(number: int) -> str:
    return f"This is tone number {number}, and it goes on for a while. " * (1 + number % 3)


class Load:
    """The requests of one run, made beside its own thread: what that one starts ends with it."""

    def __init__(self, url: str, key: str, *, run: str) -> None:
        self.asked = [Asked(n, text_of(n), f"disaster-{run}-{n:03d}") for n in range(REQUESTS)]
        self._url = url
        self._key = key
        self._begun = 0
        self._reached = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._play()))

    def __enter__(self) -> Self:
        """Returns in the midst of the requests."""
        self._thread.start()
        assert self._reached.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    async def _play(self) -> None:
        turns = iter(self.asked)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            await asyncio.gather(*(self._client(session, turns) for _ in range(AT_ONCE)))

    async def _client(self, session: aiohttp.ClientSession, turns: Iterator[Asked]) -> None:
        for one in turns:
            self._begun += 1
            if self._begun >= HAPPENS_AT:
                self._reached.set()
            await ask(session, self._url, self._key, one)


async def ask(session: aiohttp.ClientSession, url: str, key: str, one: Asked) -> None:
    body = {"text": one.text, "stream": True, "format": "pcm", "model": "tone"}
    headers = {"X-API-Key": key, "X-Request-Id": one.request_id}
    try:
        async with session.post(f"{url}/generate", json=body, headers=headers) as response:
            one.status = response.status
            async for chunk in response.content.iter_any():
                one.received_bytes += len(chunk)
            one.is_whole = response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        # Those that come while nobody listens would all be over before anybody does again.
        await asyncio.sleep(0.2)
