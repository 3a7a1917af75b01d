"""A fixed number of threads that let an engine speak what is due."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing

from gpu_worker.audio import to_pcm16
from gpu_worker.engines.base import Engine
from gpu_worker.errors import WorkerError
from gpu_worker.jobs import Job
from gpu_worker.logs import where_raised
from gpu_worker.protocol import ErrorCode
from gpu_worker.scheduling import FairQueue

logger = logging.getLogger(__name__)


class EngineThreads:
    """Takes turns from a queue until it is closed."""

    def __init__(self, engine: Engine, queue: FairQueue[Job], count: int) -> None:
        self._engine = engine
        self._queue = queue
        self._threads = [
            threading.Thread(target=self._work, name=f"engine-{number}", daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        """Starts all of them."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Waits for them after the queue was closed; one that is amid a chunk longer is left behind."""
        give_up_at = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, give_up_at - time.monotonic()))

    def _work(self) -> None:
        while (job := self._queue.take()) is not None:
            before = job.engine_seconds
            try:
                self._speak_piece(job)
            except Exception as error:  # noqa: BLE001 - whatever an engine raises ends this request alone
                fields = {"request_id": job.request_id, **where_raised(error)}
                logger.error("engine failed", extra={"fields": fields})
                job.fail_from_engine(
                    WorkerError(ErrorCode.ENGINE_FAILED, "The engine failed on this text; it may pass again.")
                )
                self._queue.discard(job)
            self._queue.give_back(job, job.engine_seconds - before)

    def _speak_piece(self, job: Job) -> None:
        started_at = time.perf_counter()
        with closing(self._engine.synthesize(job.utterance())) as chunks:
            for samples in chunks:
                if job.failure:
                    break
                job.publish(to_pcm16(samples))
        # Before the piece is closed: what closes the last piece also reads the figure.
        job.engine_seconds += time.perf_counter() - started_at
        if not job.failure:
            job.piece_done()
