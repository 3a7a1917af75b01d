"""The worker without HTTP: loads its engine, admits requests, cancels them, drains."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Literal

from gpu_worker import __version__
from gpu_worker.audio import FORMATS
from gpu_worker.config import Settings
from gpu_worker.engine_threads import EngineThreads
from gpu_worker.engines import Capabilities, Engine, Utterance, load_engine
from gpu_worker.errors import WorkerError
from gpu_worker.jobs import Job
from gpu_worker.protocol import PROTOCOL, ErrorCode, Readiness, SpeechRequest
from gpu_worker.scheduling import FairQueue, QueueFullError
from gpu_worker.text import Piece, UnknownTagError, split, without_tags

logger = logging.getLogger(__name__)

_LOADING_RETRY_SECONDS = 2
_DRAINING_RETRY_SECONDS = 5
_JOIN_SECONDS = 2.0


class SpeechService:
    """One engine and its queue. All methods run on the event loop."""

    def __init__(self, settings: Settings, load: Callable[[Settings], Engine] = load_engine) -> None:
        self._settings = settings
        self._load = load
        self._engine: Engine | None = None
        self._threads: EngineThreads | None = None
        self._queue: FairQueue[Job] = FairQueue(settings.max_queue, settings.threads)
        self._jobs: set[Job] = set()
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def load(self) -> None:
        """Loads the engine in a thread and starts to serve. Raises what the engine raises."""
        started_at = time.perf_counter()
        engine = await asyncio.to_thread(self._load, self._settings)
        self._threads = EngineThreads(engine, self._queue, self._settings.threads)
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
        return self._ready_engine().capabilities

    def readiness(self) -> Readiness:
        """The body of `GET /ready`; lists are empty while the engine loads."""
        offers = self._engine.capabilities if self._engine else None
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
            queue={"active": active, "waiting": waiting, "capacity": self._queue.capacity},
        )

    def submit(self, request: SpeechRequest, request_id: str) -> Job:
        """Lets a request in; `finish` must follow. Raises WorkerError."""
        engine = self._ready_engine()
        offers = engine.capabilities
        _refuse_what_is_not_offered(request, offers)
        pieces = _pieces(request, engine)
        job = Job(request_id, pieces, _utterances(request, pieces, offers), self._queue.resume)
        try:
            self._queue.submit(job)
        except QueueFullError as full:
            raise WorkerError(
                ErrorCode.QUEUE_FULL,
                f"This worker holds {self._queue.capacity} requests and takes no more right now.",
                retry_after_seconds=full.retry_after_seconds,
            ) from full
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
        """Takes no new requests and returns when those at work are through or the time for it is up."""
        self._draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._idle.wait()
        for job in list(self._jobs):
            self.stop(job, WorkerError(ErrorCode.DRAINING, "This worker shut down before it was through."))

    async def close(self) -> None:
        """Ends the engine's threads."""
        self._queue.close()
        if self._threads:
            await asyncio.to_thread(self._threads.join, _JOIN_SECONDS)

    def _ready_engine(self) -> Engine:
        if self._draining:
            message = "This worker is shutting down and takes no new request."
            raise WorkerError(ErrorCode.DRAINING, message, retry_after_seconds=_DRAINING_RETRY_SECONDS)
        if self._engine is None:
            message = "The engine is still loading."
            raise WorkerError(ErrorCode.LOADING, message, retry_after_seconds=_LOADING_RETRY_SECONDS)
        return self._engine


def cannot_speak() -> WorkerError:
    """The refusal of a text without sounds; also known only after the engine tried."""
    return WorkerError(
        ErrorCode.CANNOT_SPEAK, "This engine has no sounds for any of this text.", param="text"
    )


def _pieces(request: SpeechRequest, engine: Engine) -> list[Piece]:
    performs_tags = "tags" in engine.capabilities.features
    try:
        spoken = without_tags(request.text, unknown=request.unknown_tags, keep_known=performs_tags)
    except UnknownTagError as error:
        raise WorkerError(ErrorCode.INVALID, str(error), param="text") from error
    pieces = split(spoken) if engine.can_speak(spoken) else []
    if not pieces:
        raise cannot_speak()
    return pieces


def _refuse_what_is_not_offered(request: SpeechRequest, offers: Capabilities) -> None:
    if request.model is not None and request.model not in offers.models:
        message = f"There is no such model here; there is {_listed(offers.models)}."
        raise WorkerError(ErrorCode.MODEL_NOT_FOUND, message, param="model")
    if request.voice is not None and request.voice not in offers.voices:
        message = f"There is no such voice here; there is {_listed(offers.voices)}."
        raise WorkerError(ErrorCode.VOICE_NOT_FOUND, message, param="voice")
    language = request.language.replace("_", "-").split("-")[0].lower() if request.language else None
    if language is not None and language not in offers.languages:
        _refuse("language", f"{_listed(offers.languages)} is what this engine speaks")
    if request.format not in FORMATS:
        _refuse("format", f"this worker makes {_listed(FORMATS)}")
    if request.sample_rate not in (None, offers.sample_rate):
        _refuse("sample_rate", f"this engine makes {offers.sample_rate}")
    slowest, fastest = offers.speeds
    if not slowest <= request.speed <= fastest:
        _refuse("speed", f"this engine speaks at {slowest:g} to {fastest:g}")
    if request.timestamps != "none" and "timestamps" not in offers.features:
        _refuse("timestamps", "this engine does not know when it speaks a word")


def _refuse(param: str, what: str) -> None:
    raise WorkerError(ErrorCode.INVALID, f"{param}: {what}.", param=param)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _utterances(request: SpeechRequest, pieces: list[Piece], offers: Capabilities) -> list[Utterance]:
    return [
        Utterance(
            text=piece.text,
            piece=number,
            model=request.model or offers.models[0],
            voice=request.voice or offers.voices[0],
            language=request.language or offers.languages[0],
            speed=request.speed,
            seed=request.seed,
            exaggeration=request.exaggeration,
            cfg_weight=request.cfg_weight,
            temperature=request.temperature,
            top_p=request.top_p,
            min_p=request.min_p,
            repetition_penalty=request.repetition_penalty,
        )
        for number, piece in enumerate(pieces)
    ]
