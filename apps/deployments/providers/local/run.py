"""The supervisor as a process: one on its folder, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from aiohttp import web

from apps.deployments.providers.local.api import build_app
from apps.deployments.providers.local.layout import Layout, listen
from apps.deployments.providers.local.supervisor import Supervisor

logger = structlog.get_logger(__name__)


class AlreadyRunningError(Exception):
    """Another supervisor holds the folder."""


@contextmanager
def sole_supervisor(layout: Layout) -> Iterator[None]:
    """Makes the folder and holds it; the kernel lets go of it however this process ends.

    Raises AlreadyRunningError.
    """
    layout.create()
    descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunningError(f"Another local provider is running on {layout.folder}.") from None
    try:
        yield
    finally:
        os.close(descriptor)


async def serve(supervisor: Supervisor, layout: Layout, on_listening: Callable[[], object]) -> None:
    """Runs until told to stop. A first signal drains the workers, a second one kills them."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stopping.is_set():
            supervisor.hurry()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    runner = web.AppRunner(build_app(supervisor), access_log=None)
    try:
        await supervisor.start()
        await runner.setup()
        await web.SockSite(runner, listen(layout.socket)).start()
        logger.info("local provider listens", socket=str(layout.socket))
        on_listening()
        await stopping.wait()
    finally:
        layout.socket.unlink(missing_ok=True)
        await runner.cleanup()
        await supervisor.stop()
    logger.info("local provider stopped")
