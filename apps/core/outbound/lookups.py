"""What names stand for, looked up in threads: the system's resolver blocks, and for a while."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses that a name and a port stand for; blocks; raises `OSError` where there are none."""

# A lookup of a name whose servers are silent goes on for half a minute, long after who asked has given up.
LOOKUPS_AT_ONCE = 128


def system_resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(sockaddr[0]) for _, _, _, _, sockaddr in found))


class Lookups:
    """Of one event loop. Each lookup has a thread of its own, which no end of the process waits for."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._slots = asyncio.Semaphore(LOOKUPS_AT_ONCE)

    async def addresses_of(self, host: str, port: int) -> Sequence[str]:
        """Raises `OSError`."""
        async with self._slots:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Sequence[str]] = loop.create_future()
            work = threading.Thread(
                target=self._run, args=(loop, future, host, port), name="outbound-dns", daemon=True
            )
            work.start()
            return await future

    def _run(
        self,
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Sequence[str]],
        host: str,
        port: int,
    ) -> None:
        result: Sequence[str] | OSError
        try:
            result = self._resolve(host, port)
        except OSError as error:
            result = error
        except Exception as error:  # noqa: BLE001 - e.g. a name that the system's codec cannot write
            result = OSError(type(error).__name__)
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(_settle, future, result)


def _settle(future: asyncio.Future[Sequence[str]], result: Sequence[str] | OSError) -> None:
    if future.done():
        return
    if isinstance(result, OSError):
        future.set_exception(result)
    else:
        future.set_result(result)
