"""The worker as a process: listens at once, loads its engine meanwhile, drains when told to stop."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from gpu_worker.config import Settings
from gpu_worker.connections import Connection
from gpu_worker.engines import Engine, load_engine
from gpu_worker.logs import configure_logging, where_raised
from gpu_worker.metrics import Metrics
from gpu_worker.protocol import API_KEY_HEADER
from gpu_worker.server import build_app
from gpu_worker.service import SpeechService
from gpu_worker.voice_cache import VoiceCacheError

logger = logging.getLogger(__name__)

_LISTEN_FAILED: Final = 1
WRONG_SETTING: Final = 2
_ENGINE_FAILED: Final = 3
# Its parent starts the worker again: a new process is the only cure.
DEVICE_POISONED: Final = 4
_BACKLOG: Final = 1024
# A writer learns of room only once a third of this is free, and must learn of it within the stall limit even
# where the reader plays at 48 kB/s. The kernel doubles the figure.
_SEND_BUFFER_BYTES: Final = 65_536
# Ends connections whose peer vanished or never reads again with data still under way.
_UNACKNOWLEDGED_MS: Final = 20_000
_LAST_BYTES_SECONDS: Final = 5
# glibc's names of mallopt's parameters.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


class WorkerServer(uvicorn.Server):
    """uvicorn that on SIGTERM still answers while requests at work are finished, and then exits with 0."""

    def __init__(
        self, config: uvicorn.Config, service: SpeechService, settings: Settings, metrics: Metrics
    ) -> None:
        super().__init__(config)
        self.exit_status = 0
        self._service = service
        self._settings = settings
        self._metrics = metrics
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, says where, and starts to load the engine."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        port = self.servers[0].sockets[0].getsockname()[1]
        if self._settings.port_file:
            write_atomically(self._settings.port_file, f"{port}\n")
        logger.info("listening", extra={"fields": _whereabouts(self._settings, port)})
        self._start(self._metrics.watch_event_loop())
        self._start(self._load())
        self._start(self._stop_when_poisoned())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes the engine once the last answer is out."""
        await super().shutdown(sockets)
        await self._service.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, a second one ends it now."""
        if self._loop is None or self._service.status == "draining":
            self.should_exit = self.force_exit = True
        else:
            self._loop.call_soon_threadsafe(lambda: self._start(self._drain()))

    async def _load(self) -> None:
        try:
            await self._service.load()
        except VoiceCacheError as error:
            logger.error("wrong setting", extra={"fields": {"message": str(error)}})
            self.exit_status = WRONG_SETTING
            self.should_exit = True
        except Exception as error:  # noqa: BLE001 - an engine may fail to load in any way; the process ends
            fields = {"message": str(error), **where_raised(error)}
            logger.error("engine does not load", extra={"fields": fields})
            self.exit_status = _ENGINE_FAILED
            self.should_exit = True

    async def _stop_when_poisoned(self) -> None:
        await self._service.poisoned.wait()
        self.exit_status = DEVICE_POISONED
        self.should_exit = True

    async def _drain(self) -> None:
        logger.info("draining")
        await self._service.drain()
        self.should_exit = True

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def run(settings: Settings, load: Callable[[Settings], Engine] = load_engine) -> int:
    """Serves until told to stop; returns the exit status: 0, or DEVICE_POISONED where a restart helps."""
    configure_logging(settings.log_format)
    _keep_heap_level()
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        fields = {"host": settings.host, "port": settings.port, "message": error.strerror}
        logger.error("cannot listen", extra={"fields": fields})
        return _LISTEN_FAILED
    metrics = Metrics()
    service = SpeechService(settings, partial(_load_for_long, load), stepped=metrics.batch_size.observe)
    config = uvicorn.Config(
        build_app(service, settings, metrics),
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_LAST_BYTES_SECONDS,
    )
    server = WorkerServer(config, service, settings, metrics)
    server.run(sockets=[listener])
    logger.info("stopped")
    return server.exit_status


def _keep_heap_level() -> None:
    """Has glibc return blocks of 16 MB and more at once, and of each thread's heap what is free beyond 64 MB.

    By itself it raises both limits with the largest block that was ever freed, so that with texts of all
    lengths memory goes on growing. Smaller limits cost time: pages that come anew are cleared first.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 16 << 20)
        mallopt(_M_TRIM_THRESHOLD, 64 << 20)


def _load_for_long(load: Callable[[Settings], Engine], settings: Settings) -> Engine:
    """Loads the engine, and has garbage collection pass over all that is there by then.

    It stays as long as the process, and looking through it would hold every stream up for 80 ms now and then.
    """
    engine = load(settings)
    gc.collect()
    gc.freeze()
    return engine


def _whereabouts(settings: Settings, port: int) -> dict[str, object]:
    """Where it listens, and how a person tries it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    key = f' -H "{API_KEY_HEADER}: $API_KEY"' if settings.token else ""
    body = """-H 'Content-Type: application/json' -d '{"text": "Hello from VoiceFlow."}'"""
    command = f"curl {base}/generate{key} {body} --fail-with-body -o hello.wav"
    return {"host": settings.host, "port": port, "docs": f"{base}/docs", "try": command}


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, whose connections inherit its limits. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def write_atomically(path: Path, text: str) -> None:
    """Writes a file that a reader finds whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
