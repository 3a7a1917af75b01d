"""Shares of the event loop: where many have work at once, timers and sockets are still served in between."""

from __future__ import annotations

import asyncio
import time
from typing import Final

_SHARE_SECONDS: Final = 0.01


class _Share:
    """What work may take of one iteration of the event loop, from the first work in it on."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends_at = 0.0

    def is_left(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether this iteration has time left; its first caller begins to count."""
        now = time.perf_counter()
        if self._loop is loop:
            return now < self._ends_at
        self._loop = loop
        self._ends_at = now + _SHARE_SECONDS
        loop.call_soon(self._end)
        return True

    def _end(self) -> None:
        self._loop = None


_share: Final = _Share()


async def turn() -> None:
    """Returns at once, or in a later iteration where others have worked for 10 ms in this one."""
    loop = asyncio.get_running_loop()
    while not _share.is_left(loop):  # noqa: ASYNC110 - the next iteration is what is waited for
        await asyncio.sleep(0)
