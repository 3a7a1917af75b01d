"""A fixed number of threads, each with a session of the engine that requests join a piece at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gpu_worker.engines.base import Chunk, DevicePoisonedError, Done, Engine, Outcome, Session
from gpu_worker.engines.base import Failed as EngineFailed
from gpu_worker.errors import WorkerError
from gpu_worker.jobs import Deliveries, Job, engine_failed
from gpu_worker.logs import where_raised
from gpu_worker.protocol import ErrorCode
from gpu_worker.scheduling import FairQueue

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Turn:
    """A job in a slot, and the engine time that this turn used."""

    job: Job
    seconds: float = 0.0


class EngineThreads:
    """Takes turns from a queue until it is closed, or until the device is poisoned.

    `poisoned` is called then, from one of the threads; `stepped` is told the size of each step's batch.
    """

    def __init__(
        self,
        engine: Engine,
        queue: FairQueue[Job],
        count: int,
        deliveries: Deliveries,
        *,
        poisoned: Callable[[], None],
        stepped: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._deliveries = deliveries
        self._poisoned = poisoned
        self._stepped = stepped
        self._threads = [
            threading.Thread(target=self._work, name=f"engine-{number}", daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        """Starts all of them."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Waits for them after the queue was closed; one that is amid a step longer is left behind."""
        give_up_at = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, give_up_at - time.monotonic()))

    def _work(self) -> None:
        try:
            while not self._queue.is_closed:
                session = self._engine.open_session()
                _Batch(session, self._queue, self._deliveries, self._stepped).run()
        except Exception as error:  # noqa: BLE001 - a thread without a session serves nobody
            logger.critical("device poisoned", extra={"fields": where_raised(error)})
            self._poisoned()


class _Batch:
    """A session and the jobs in its slots, until the session breaks or the queue is closed."""

    def __init__(
        self,
        session: Session,
        queue: FairQueue[Job],
        deliveries: Deliveries,
        stepped: Callable[[int], None],
    ) -> None:
        self._session = session
        self._queue = queue
        self._deliveries = deliveries
        self._stepped = stepped
        self._turns: dict[int, _Turn] = {}

    def run(self) -> None:
        """Raises DevicePoisonedError; any other error of a step ends this session and its jobs alone."""
        try:
            while self._fill():
                self._step()
        except Exception as error:
            self._fail_all(error)
            if isinstance(error, DevicePoisonedError):
                raise
        finally:
            self._session.close()

    def _fill(self) -> bool:
        """Lets jobs join while there is room; False once there is nothing to do and nothing comes."""
        while len(self._turns) < self._session.capacity:
            job = self._queue.take(wait=not self._turns)
            if job is None:
                break
            self._join(job)
        return bool(self._turns)

    def _join(self, job: Job) -> None:
        try:
            slot = self._session.join(job.utterance())
        except DevicePoisonedError:
            self._turns[-1] = _Turn(job)
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine raises on a text ends this request alone
            self._fail(_Turn(job), error)
            return
        self._turns[slot] = _Turn(job)
        job.interrupt = partial(self._session.interrupt, slot)

    def _step(self) -> None:
        for slot in [slot for slot, turn in self._turns.items() if turn.job.failure]:
            self._leave(slot)
        if not self._turns:
            return
        started_at = time.perf_counter()
        outcomes = self._session.step()
        share = (time.perf_counter() - started_at) / len(self._turns)
        self._stepped(len(self._turns))
        for turn in self._turns.values():
            turn.seconds += share
            # Before events go out: what closes the last piece also reads the figure.
            turn.job.engine_seconds += share
        for slot, outcome in outcomes:
            if slot in self._turns:
                self._take_in(slot, outcome)
        self._deliveries.post([turn.job for turn in self._turns.values()])

    def _take_in(self, slot: int, outcome: Outcome) -> None:
        turn = self._turns[slot]
        if isinstance(outcome, EngineFailed):
            del self._turns[slot]
            self._fail(turn, outcome.error)
        elif isinstance(outcome, Done):
            self._finish(slot)
        elif isinstance(outcome, Chunk) and not turn.job.failure and not turn.job.add(outcome):
            self._session.leave(slot)
            self._finish(slot)

    def _finish(self, slot: int) -> None:
        turn = self._turns.pop(slot)
        turn.job.interrupt = None
        if not turn.job.failure:
            turn.job.finish_take()
        self._deliveries.post([turn.job])
        self._queue.give_back(turn.job, turn.seconds)

    def _leave(self, slot: int) -> None:
        turn = self._turns.pop(slot)
        turn.job.interrupt = None
        self._session.leave(slot)
        self._queue.give_back(turn.job, turn.seconds)

    def _fail_all(self, error: Exception) -> None:
        turns, self._turns = list(self._turns.values()), {}
        for turn in turns:
            self._fail(turn, error)

    def _fail(self, turn: _Turn, error: Exception) -> None:
        job = turn.job
        job.interrupt = None
        if not job.failure:
            fields = {"request_id": job.request_id, **where_raised(error)}
            logger.error("engine failed", extra={"fields": fields})
            job.fail_from_engine(
                device_failed() if isinstance(error, DevicePoisonedError) else engine_failed()
            )
        self._queue.discard(job)
        self._deliveries.post([job])
        self._queue.give_back(job, turn.seconds)


def device_failed() -> WorkerError:
    """The failure of every request that the device had when it broke."""
    message = "The worker's device failed; the worker restarts and takes the request again then."
    return WorkerError(ErrorCode.ENGINE_FAILED, message)
