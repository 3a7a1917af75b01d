"""One speech request from admission to settlement, the same behind every door and surface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog

from apps.core import metrics
from apps.core.errors import AppError, CannotSpeak, InvalidRequest, Unavailable, UpstreamFailed
from apps.deployments import older_image
from apps.deployments.routing import Choice, Target
from apps.tts.request import SpeechBody
from apps.tts.runtime import Runtime
from apps.tts.upstream import Gone, Refused, Upstream
from apps.tts.whole_wav import WholeWav
from apps.usage.admission import Admitted, Asked, Caller, Outcome
from gpu_worker.protocol import Audio, End, Error, Mark, Message, SpeechRequest, Start

logger = structlog.get_logger("voiceflow.speech")

MAX_WORKERS_TRIED = 3
DEADLINE_MS = 600_000
TEST_ENGINE = "cpu"


class StreamCut(Exception):
    """The upstream broke off after the first byte: the connection must end without looking whole."""


@dataclass(slots=True)
class Speech:
    """An answer whose first audio is there. Iterate `audio()` to its end, or close it.

    `sample_rate` is in Hz; audio is 16-bit little-endian PCM, one channel.
    """

    runtime: Runtime
    admitted: Admitted
    body: SpeechBody
    request_id: str
    model: str
    voice: str
    sample_rate: int = 0
    engine: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    _targets: list[Target] = field(default_factory=list)
    _first: bytes = b""
    _messages: AsyncIterator[Message] | None = None
    _resources: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def headers(self) -> dict[str, str]:
        return self.admitted.headers | {
            "X-Model": self.model,
            "X-Voice": self.voice,
            "X-Characters": str(len(self.body.text)),
        }

    async def begin(self) -> None:
        """Asks workers in turn until one has spoken its first audio and the row is open.

        Raises an `AppError` after settling the request as failed, or cancelled where the client left.
        """
        try:
            if not await self._next_worker():
                raise Unavailable("No worker could take this request. Try again.", code="speech_unavailable")
            await self.admitted.opened
        except AppError as error:
            await self._end("failed", error.code)
            raise
        except asyncio.CancelledError:
            await self._end("cancelled", "client_left")
            raise
        except BaseException:
            await self._end("failed", "internal_error")
            raise
        self.outcome.ttfb_ms = (time.perf_counter() - self.admitted.started) * 1000

    async def audio(self) -> AsyncIterator[bytes]:
        """The audio as it is made. Raises `StreamCut` where it does not come to its end.

        Settles in every case: also where the consumer closes the iterator or is cancelled, since the client
        has left then. A mark counts once all audio before it was taken.
        """
        state, code = "cancelled", "client_left"
        try:
            async for data in self._attempt():
                yield data
            state, code = "ok", ""
        except Gone as error:
            state, code = "cut", "worker_gone"
            raise StreamCut(str(error)) from error
        finally:
            await self._end(state, code)

    async def whole(self) -> bytes:
        """All audio. Nothing has left for the client before, so another worker is tried where one breaks off.

        Raises `UpstreamFailed` where none comes to its end. What was not delivered is not charged.
        """
        state, code = "cancelled", "client_left"
        try:
            while True:
                try:
                    data = b"".join([part async for part in self._attempt()])
                except Gone as error:
                    logger.warning("worker broke off", error=str(error), request_id=self.request_id)
                    await self._resources.aclose()
                    if not await self._next_worker():
                        state, code = "failed", "worker_gone"
                        raise UpstreamFailed("The worker broke off and no other could take over.") from error
                else:
                    state, code = "ok", ""
                    return data
        except AppError as error:
            state, code = "failed", error.code
            raise
        finally:
            if state != "ok":
                self.outcome.characters_charged = 0
            await self._end(state, code)

    def close(self) -> None:
        """For a server that drops the answer without reading it; safe from any thread, and after the end."""
        if not self.admitted.settled:
            asyncio.run_coroutine_threadsafe(self._end("cancelled", "client_left"), self.runtime.loop)

    async def _attempt(self) -> AsyncIterator[bytes]:
        """The audio of the worker that answers now. Raises `Gone` where it ends before its end."""
        yield self._first
        assert self._messages is not None  # noqa: S101 - begun
        async for message in self._messages:
            match message:
                case Audio(data=data):
                    yield data
                case Mark():
                    self.outcome.characters_charged = min(message.source_to, len(self.body.text))
                    self.outcome.audio_ms = message.audio_ms
                case End():
                    self.outcome.characters_charged = len(self.body.text)
                    self.outcome.audio_ms = message.audio_ms
                    self.outcome.engine_ms = message.gpu_ms
                case Error():
                    raise Gone(message.code)

    async def _next_worker(self) -> bool:
        """False where no worker is left to try."""
        while self._targets:
            if await self._ask(self._targets.pop(0)):
                return True
        return False

    async def _ask(self, target: Target) -> bool:
        """True once the target has spoken; false where another worker may be asked. Raises its refusal."""
        attempt = AsyncExitStack()
        try:
            attempt.enter_context(self.runtime.router.in_flight(target))
            upstream = self._upstream(target)
            await attempt.enter_async_context(upstream)
            messages = upstream.messages()
            await self._until_audio(messages)
        except (Gone, Refused) as error:
            await attempt.aclose()
            return self._again_after(error, target)
        except BaseException:
            await attempt.aclose()
            raise
        self._resources = attempt
        self._messages = messages
        self.outcome.deployment_id = target.deployment_id
        return True

    def _upstream(self, target: Target) -> Upstream | WholeWav:
        session, request = self.runtime.upstream, self._wire_request()
        if target.protocol == older_image.PROTOCOL:
            return WholeWav(session, target, request, self.runtime.turns)
        return Upstream(session, target, request)

    async def _until_audio(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            match message:
                case Start():
                    self.sample_rate, self.engine = message.sample_rate, message.engine
                case Audio(data=data):
                    self._first = data
                    return
                case Error():
                    raise Refused(503 if message.retryable else 422, message.code, message.message)
                case End():
                    raise Refused(422, "cannot_speak", "There is nothing in this text to speak.")

    def _again_after(self, error: Gone | Refused, target: Target) -> bool:
        """False where another worker may do better; else raises what the caller is told."""
        if isinstance(error, Gone):
            self.runtime.router.report_failure(target)
            logger.warning("worker gone", worker=str(target.worker_id), error=str(error))
            return False
        if error.code == "cannot_speak" or error.status == 422:
            raise CannotSpeak(error.message, param="text") from error
        if error.status in {400, 413}:
            raise InvalidRequest(error.message, param=error.param) from error
        logger.warning("worker refused", worker=str(target.worker_id), status=error.status, code=error.code)
        return False

    def _wire_request(self) -> SpeechRequest:
        return SpeechRequest(
            text=self.body.text,
            request_id=self.request_id,
            model=self.model,
            voice=self.voice,
            speed=self.body.speed,
            seed=self.body.seed,
            format="pcm",
            stream=True,
            deadline_ms=DEADLINE_MS,
            tenant=str(self.admitted.identity.organization_id),
        )

    async def _end(self, state: str, error_code: str) -> None:
        """Settles first, so that nothing which fails later can leave the row open."""
        if self.admitted.settled:
            return
        self.outcome.state, self.outcome.error_code = state, error_code
        total_ms = self.runtime.admission.settle(self.admitted, self.outcome)
        metrics.SPEECH_REQUESTS.labels(state).inc()
        self._log(total_ms)
        await self._resources.aclose()

    def _log(self, total_ms: float) -> None:
        identity, outcome = self.admitted.identity, self.outcome
        logger.info(
            "speech",
            request_id=self.request_id,
            organization=str(identity.organization_id),
            key=identity.key_prefix,
            state=outcome.state,
            error_code=outcome.error_code,
            model=self.model,
            voice=self.voice,
            characters=len(self.body.text),
            characters_charged=outcome.characters_charged,
            audio_ms=outcome.audio_ms,
            engine_ms=outcome.engine_ms,
            ttfb_ms=round(outcome.ttfb_ms, 1) if outcome.ttfb_ms is not None else None,
            total_ms=round(total_ms, 1),
        )


async def speak(
    runtime: Runtime, caller: Caller, body: SpeechBody, *, request_id: str, surface: str, started: float
) -> Speech:
    """Resolves, admits, routes, and waits for the first audio. Raises an `AppError` for every refusal."""
    limit = caller.limits.characters_per_request
    if len(body.text) > limit:
        raise InvalidRequest(
            f"The text has {len(body.text)} characters; at most {limit} are allowed.",
            code="text_too_long",
            param="text",
        )
    choice, targets = await _route(runtime, caller, body)
    asked = Asked(request_id, surface, choice.model, choice.voice, characters=len(body.text))
    admitted = await runtime.admission.admit(caller, asked, started=started)
    speech = Speech(
        runtime, admitted, body, request_id, choice.model, choice.voice, _targets=targets[:MAX_WORKERS_TRIED]
    )
    await speech.begin()
    return speech


async def _route(runtime: Runtime, caller: Caller, body: SpeechBody) -> tuple[Choice, list[Target]]:
    """What is meant, and who can speak it. Looks again before it says that nobody can.

    A test key reaches the platform's own CPU engine and nothing else.
    """
    is_test = caller.identity.mode == "test"
    owner = None if is_test else caller.identity.organization_id
    engine = TEST_ENGINE if is_test else None
    for attempt in range(2):
        if attempt:
            # A worker may have become ready since the table was read: a first request must not miss it.
            await runtime.router.refresh()
        try:
            choice = runtime.router.resolve(
                organization_id=owner, model=body.model, voice=body.voice, engine=engine
            )
        except Unavailable:
            if attempt:
                raise
            continue
        targets = runtime.router.candidates(
            organization_id=owner, model=choice.model, voice=choice.voice, engine=engine
        )
        if targets:
            return choice, targets
    raise Unavailable(
        f"The voice {choice.voice} is known, but no worker is ready to speak it.",
        code="speech_unavailable",
        retry_after_seconds=5,
    )
