"""One replica's place: it has a worker process, or is about to have the next one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import aiohttp
import structlog

from apps.deployments.providers.base import Replica, ReplicaState, Wanted
from apps.deployments.providers.local.worker import DRAIN_SECONDS, WorkerProcess, WorkerSetup

logger = structlog.get_logger(__name__)

FIRST_BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 30.0
STABLE_AFTER_SECONDS = 30.0
# The worker drains by itself for DRAIN_SECONDS; this lets it end after that.
STOP_GRACE_SECONDS = DRAIN_SECONDS + 5.0


class Slot:
    """Keeps one worker running, with growing pauses between crashes.

    `on_change` is called when its process starts, is ready, or ends.
    """

    def __init__(
        self,
        wanted: Wanted,
        setup: WorkerSetup,
        session: aiohttp.ClientSession,
        on_change: Callable[[], None],
    ) -> None:
        self.engine = wanted.engine
        self.generation = wanted.generation
        self.worker: WorkerProcess | None = None
        self._wanted = wanted
        self._setup = setup
        self._session = session
        self._on_change = on_change
        self._crashes = 0
        self._last_id = wanted.name
        self._last_words = ""
        self._task = asyncio.create_task(self._keep_running(), name=f"slot {wanted.name}")

    def is_of(self, wanted: Wanted) -> bool:
        """Whether its worker is what is wanted now."""
        return (self.engine, self.generation) == (wanted.engine, wanted.generation)

    @property
    def is_running(self) -> bool:
        return self.worker is not None and self.worker.state is ReplicaState.RUNNING

    def describe(self) -> Replica:
        if self.worker is None:
            state = ReplicaState.CRASHED if self._crashes else ReplicaState.STARTING
            return Replica(self._last_id, state, self.generation, message=self._last_words)
        is_starting = self.worker.state is ReplicaState.STARTING
        return Replica(
            id=self.worker.id,
            state=self.worker.state,
            generation=self.generation,
            url=self.worker.url,
            token=self.worker.token,
            message=self._last_words if is_starting else "",
        )

    async def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Ends the worker, drained if it can be in time, and starts no other."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self.worker is not None:
            await self.worker.stop(grace_seconds)
            self.worker = None

    async def _keep_running(self) -> None:
        while True:
            try:
                worker = WorkerProcess(self._wanted, self._setup)
            except OSError as error:
                self._crashed(self._last_id, f"The worker process could not be started: {error}.")
            else:
                await self._live(worker)
            self._on_change()
            await asyncio.sleep(min(FIRST_BACKOFF_SECONDS * 2**self._crashes / 2, LONGEST_BACKOFF_SECONDS))

    async def _live(self, worker: WorkerProcess) -> None:
        self.worker = worker
        self._on_change()
        logger.info("worker started", worker=worker.id, pid=worker.recorded.pid, engine=self.engine)
        loop = asyncio.get_running_loop()
        started = loop.time()
        words = await worker.watch(self._session, on_ready=self._ready)
        if loop.time() - started > STABLE_AFTER_SECONDS:
            self._crashes = 0
        self.worker = None
        self._crashed(worker.id, words)

    def _ready(self) -> None:
        if self.worker is not None:
            logger.info("worker ready", worker=self.worker.id, url=self.worker.url)
        self._on_change()

    def _crashed(self, replica_id: str, words: str) -> None:
        self._crashes = min(self._crashes + 1, 16)
        self._last_id, self._last_words = replica_id, words
        logger.warning("worker ended", worker=replica_id, crashes=self._crashes, words=words)
