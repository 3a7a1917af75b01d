"""A wire that can be cut: a TCP proxy on loopback before a service, for tests of the service being away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Cuttable:
    """Forwards each connection to what `connect` opens, until it is cut; then it refuses them."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]]) -> None:
        self._connect = connect
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Closes the door and every connection behind it."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stall(self) -> None:
        """What is sent from now on arrives after `resume`."""
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        upstream_reader, upstream = await self._connect()
        self._writers |= {writer, upstream}
        try:
            with suppress(OSError):
                await asyncio.gather(self._pump(reader, upstream), self._pump(upstream_reader, writer))
        except asyncio.CancelledError:
            pass  # cut
        finally:
            self._writers -= {writer, upstream}
            self._tasks.discard(task)
            for end in (writer, upstream):
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            await self._flowing.wait()
            writer.write(chunk)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def cuttable(host: str, port: int) -> AsyncIterator[Cuttable]:
    """Before a service at `host`, which is a path where the service listens on a Unix socket."""
    wire = Cuttable(
        lambda: (
            asyncio.open_unix_connection(host)
            if host.startswith("/")
            else asyncio.open_connection(host, port)
        )
    )
    await wire.mend()
    try:
        yield wire
    finally:
        await wire.cut()
