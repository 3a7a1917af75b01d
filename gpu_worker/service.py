"""The worker without HTTP: loads its engine, admits requests, cancels them, drains."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final, Literal

from gpu_worker import __version__
from gpu_worker.audio import FORMATS
from gpu_worker.config import Settings
from gpu_worker.engine_threads import EngineThreads, device_failed
from gpu_worker.engines import Capabilities, Engine, load_engine
from gpu_worker.engines.base import EngineFigures, Learner, Measured
from gpu_worker.errors import WorkerError
from gpu_worker.fair_pool import FairPool
from gpu_worker.jobs import Deliveries, Job
from gpu_worker.ordering import Order, script_of
from gpu_worker.pacing import turn
from gpu_worker.preparation import Preparation
from gpu_worker.protocol import PROTOCOL, ErrorCode, Readiness, SpeechRequest
from gpu_worker.references.reference import Reference
from gpu_worker.scheduling import FairQueue, QueueFullError
from gpu_worker.voice_cache import VoiceCache
from gpu_worker.voices import ClonedVoices, Upload

logger = logging.getLogger(__name__)

_LOADING_RETRY_SECONDS: Final = 2
_DRAINING_RETRY_SECONDS: Final = 5
_JOIN_SECONDS: Final = 2.0
_RENDER_THREADS: Final = 2
# What is made speakable on the event loop: about 5 ms.
_MAX_INLINE_CHARACTERS: Final = 1500


class SpeechService:
    """One engine and its queue. All methods run on the event loop.

    `stepped` is told the size of each batch that an engine works on. Once `poisoned` is set the engine
    speaks no more and the process must end.
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[Settings], Engine] = load_engine,
        *,
        stepped: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.poisoned = asyncio.Event()
        self.preparation = Preparation(settings.max_queue)
        self.render_pool = FairPool(_RENDER_THREADS, "render")
        self._settings = settings
        self._load = load
        self._stepped = stepped
        self._engine: Engine | None = None
        self._offers: Capabilities | None = None
        self._voices: ClonedVoices | None = None
        self._threads: EngineThreads | None = None
        self._queue: FairQueue[Job] = FairQueue(settings.max_queue, settings.sessions)
        self._learning = ThreadPoolExecutor(1, "voice-learner")
        self._jobs: set[Job] = set()
        self._findings: set[asyncio.Task[Reference]] = set()
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def load(self) -> None:
        """Loads the engine in a thread and starts to serve. Raises what the engine raises."""
        started_at = time.perf_counter()
        engine = await asyncio.to_thread(self._load, self._settings)
        self._offers = await self._prepare_voices(engine.capabilities)
        loop = asyncio.get_running_loop()
        self._threads = EngineThreads(
            engine,
            self._queue,
            self._settings.sessions,
            Deliveries(loop),
            poisoned=partial(_call_on, loop, self._break),
            stepped=self._stepped,
        )
        self._threads.start()
        self._engine = engine
        load_ms = round(1000 * (time.perf_counter() - started_at))
        fields = {"engine": engine.capabilities.engine, "load_ms": load_ms, "threads": self._settings.threads}
        logger.info("engine ready", extra={"fields": fields})

    @property
    def status(self) -> Literal["loading", "ready", "draining"]:
        """Requests are taken only while ready."""
        if self._draining:
            return "draining"
        return "ready" if self._engine else "loading"

    def offers(self) -> Capabilities:
        """What requests may ask for. Raises WorkerError while loading or draining."""
        self._ready_engine()
        assert self._offers is not None  # noqa: S101 - set before the engine is
        return self._offers

    def readiness(self, tenant: str = "") -> Readiness:
        """The body of `GET /ready` for that tenant; lists are empty while the engine loads."""
        offers = self._offers if self._engine else None
        active, waiting = self._queue.counts()
        return Readiness(
            protocol=PROTOCOL,
            version=__version__,
            status=self.status,
            engine=self._settings.engine,
            models=list(offers.models) if offers else [],
            voices=list(offers.voices) if offers else [],
            languages=list(offers.languages) if offers else [],
            features=sorted(offers.features) if offers else [],
            formats=list(FORMATS),
            sample_rate=offers.sample_rate if offers else 0,
            max_batch=offers.max_batch if offers else 0,
            queue={
                "active": active,
                "waiting": waiting,
                "capacity": self._queue.capacity,
                "position": self._queue.position(tenant),
            },
        )

    def engine_figures(self) -> EngineFigures | None:
        """What the engine has done, where it is loaded and keeps figures."""
        return self._engine.figures() if isinstance(self._engine, Measured) else None

    async def reference_for(self, request: SpeechRequest, upload: Upload | None) -> Reference:
        """The recording of the cloned voice that a request names, which `Order.of` let pass.

        Raises WorkerError.
        """
        assert self._voices is not None  # noqa: S101 - else "clone" is not offered
        self._refuse_if_full(request.tenant or "")
        finding = asyncio.create_task(self._found(self._voices, request, upload))
        self._findings.add(finding)
        try:
            await asyncio.wait({finding})
        finally:
            self._findings.discard(finding)
            finding.cancel()
        if finding.cancelled():
            raise shut_down()
        return finding.result()

    async def _found(self, voices: ClonedVoices, request: SpeechRequest, upload: Upload | None) -> Reference:
        """The recording, and the engine's work on it done, which would hold up others in its batch."""
        reference = await voices.reference_for(request, upload)
        if isinstance(self._engine, Learner):
            loop = asyncio.get_running_loop()
            # What fails here fails again where it is spoken with, and is that request's error there.
            with contextlib.suppress(Exception):
                await loop.run_in_executor(self._learning, self._engine.learn, reference)
        return reference

    async def delete_voice(self, sha256: str) -> bool:
        """Forgets the recording of a cloned voice; whether it was kept."""
        return self._voices is not None and await self._voices.delete(sha256)

    async def submit(self, order: Order, request_id: str, *, is_stream: bool) -> Job:
        """Lets a request in; `finish` must follow. A stream has a listener already. Raises WorkerError."""
        engine = self._ready_engine()
        tenant = order.request.tenant or ""
        self._refuse_if_full(tenant)
        # A long text takes a while to be made speakable.
        if len(order.request.text) > _MAX_INLINE_CHARACTERS:
            script = await self.preparation.run(tenant, partial(script_of, order, engine))
        else:
            await turn()
            script = script_of(order, engine)
        self._ready_engine()
        job = Job(
            request_id,
            tenant,
            script,
            order.utterance,
            sample_rate=order.sample_rate,
            is_stream=is_stream,
            caught_up=self._queue.resume,
        )
        with _queue_full_told():
            self._queue.submit(job)
        self._jobs.add(job)
        self._idle.clear()
        return job

    def finish(self, job: Job) -> None:
        """Frees what a request holds, however it ended."""
        self._jobs.discard(job)
        self._queue.discard(job)
        if not self._jobs:
            self._idle.set()

    def cancel(self, request_id: str) -> int:
        """Stops every request of that id; returns how many there were."""
        jobs = [job for job in self._jobs if job.request_id == request_id]
        for job in jobs:
            self.stop(job, WorkerError(ErrorCode.CANCELLED, "The request was cancelled."))
        return len(jobs)

    def stop(self, job: Job, reason: WorkerError) -> None:
        """Ends a request between two chunks; its place in the queue is free at once."""
        job.fail(reason)
        self._queue.discard(job)

    async def drain(self) -> None:
        """Takes no new requests and returns when those at work are through or the time for it is up.

        Those whose voice is still to be fetched or decoded are refused: they have not begun.
        """
        self._draining = True
        for finding in self._findings:
            finding.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._idle.wait()
        for job in list(self._jobs):
            self.stop(job, shut_down())

    async def close(self) -> None:
        """Ends the engine's threads."""
        self._queue.close()
        if self._threads:
            await asyncio.to_thread(self._threads.join, _JOIN_SECONDS)
        if self._voices:
            await self._voices.close()
        self._learning.shutdown(wait=False, cancel_futures=True)
        self.preparation.close()
        self.render_pool.close()

    async def _prepare_voices(self, capabilities: Capabilities) -> Capabilities:
        """Opens the cache of cloned voices, and says what is offered with it or without."""
        secret = self._settings.consent_secret
        if secret is None or "clone" not in capabilities.features:
            return replace(capabilities, features=capabilities.features - {"clone"})
        settings = self._settings
        cache = await asyncio.to_thread(VoiceCache, settings.voice_cache, settings.voice_cache_bytes)
        self._voices = ClonedVoices(
            cache,
            sample_rate=capabilities.sample_rate,
            consent_secret=secret,
            origins=settings.reference_origins,
        )
        self._voices.start()
        return capabilities

    def _refuse_if_full(self, tenant: str) -> None:
        with _queue_full_told():
            self._queue.refuse_if_full(tenant)

    def _break(self) -> None:
        """Ends all there is, for nothing of it will come any more."""
        self._draining = True
        self._queue.close()
        for job in list(self._jobs):
            self.stop(job, device_failed())
        self.poisoned.set()

    def _ready_engine(self) -> Engine:
        if self._draining:
            message = "This worker is shutting down and takes no new request."
            raise WorkerError(ErrorCode.DRAINING, message, retry_after_seconds=_DRAINING_RETRY_SECONDS)
        if self._engine is None:
            message = "The engine is still loading."
            raise WorkerError(ErrorCode.LOADING, message, retry_after_seconds=_LOADING_RETRY_SECONDS)
        return self._engine


def shut_down() -> WorkerError:
    """The failure of a request that the end of this worker cuts off."""
    message = "This worker shut down before it was through."
    return WorkerError(ErrorCode.DRAINING, message, retry_after_seconds=_DRAINING_RETRY_SECONDS)


def _call_on(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(callback)


@contextlib.contextmanager
def _queue_full_told() -> Iterator[None]:
    try:
        yield
    except QueueFullError as full:
        message = (
            f"This worker holds as many requests as it takes; you would be number {full.position} of those "
            "that wait."
        )
        raise WorkerError(
            ErrorCode.QUEUE_FULL,
            message,
            retry_after_seconds=full.retry_after_seconds,
            queue_position=full.position,
        ) from full
