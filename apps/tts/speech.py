"""One speech request from admission to settlement, the same behind every door and surface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn

import structlog

from apps.core import metrics
from apps.core.errors import (
    AppError,
    InvalidRequest,
    Unavailable,
    UpstreamFailed,
)
from apps.deployments.routing import Choice, Need, Slot
from apps.tts.attempts import Attempts
from apps.tts.cloning import Clone
from apps.tts.meaning import meant, reach_of
from apps.tts.request import Source, SpeechBody
from apps.tts.runtime import Runtime
from apps.tts.tapes import Tape
from apps.tts.upstream import Gone
from apps.usage.admission import Admitted, Asked, Caller, Outcome
from gpu_worker.protocol import Audio, Encoding, End, Mark, SpeechRequest

logger = structlog.get_logger("voiceflow.speech")

DEADLINE_MS = 600_000


class StreamCut(Exception):
    """The upstream broke off after the first byte: the connection must end without looking whole."""


@dataclass(frozen=True, slots=True)
class Recording:
    """All of the audio in the asked format (a WAV without its header), and the marks in it."""

    data: bytes
    marks: list[Mark]


@dataclass(slots=True)
class Speech:
    """An answer whose first audio is there. Iterate `messages()` or `audio()` to its end, or close it."""

    runtime: Runtime
    admitted: Admitted
    body: SpeechBody
    encoding: Encoding
    source: Source
    choice: Choice
    attempts: Attempts
    clone: Clone | None = None
    outcome: Outcome = field(default_factory=Outcome)
    tape: Tape | None = None

    @property
    def sample_rate(self) -> int:
        """In Hz, as the worker says it."""
        return self.attempts.start.sample_rate if self.attempts.start else self.encoding.sample_rate

    @property
    def is_whole(self) -> bool:
        """Spoken to its end, and all of it taken."""
        return self.outcome.state == "ok"

    @property
    def headers(self) -> dict[str, str]:
        return self.admitted.headers | {
            "X-Model": self.choice.model,
            "X-Voice": self.choice.voice,
            "X-Characters": str(len(self.body.text)),
        }

    async def begin(self) -> None:
        """Asks workers in turn until one has spoken its first audio and the row is open.

        Raises an `AppError` after settling the request as failed, or cancelled where the client left.
        """
        try:
            if not await self.attempts.next_worker():
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

    async def refuse(self, error: AppError) -> NoReturn:
        """Settles the request as failed, and raises."""
        await self._end("failed", error.code)
        raise error

    async def messages(self) -> AsyncGenerator[Audio | Mark]:
        """Audio as it is made, and the marks in it. Raises `StreamCut` where it does not come to its end.

        Settles in every case: also where the consumer closes the iterator or is cancelled, since the client
        has left then. A mark counts once all audio before it was taken.
        """
        state, code = "cancelled", "client_left"
        try:
            async for message in self._attempt():
                yield message
            state, code = "ok", ""
        except Gone as error:
            state, code = "cut", "worker_gone"
            raise StreamCut(str(error)) from error
        except AppError as error:
            state, code = "cut", error.code
            raise StreamCut(error.code) from error
        finally:
            await self._end(state, code)

    async def audio(self) -> AsyncGenerator[bytes]:
        """As `messages`, the bytes alone."""
        async with aclosing(self.messages()) as messages:
            async for message in messages:
                if isinstance(message, Audio):
                    yield message.data

    async def whole(self, deliver: Callable[[Recording], Awaitable[None]] | None = None) -> Recording:
        """All audio. Nothing has left for the client before, so another worker is tried where one breaks off.

        `deliver` is awaited before the request is settled, with what it raises. Raises `UpstreamFailed` where
        no worker comes to its end. What was not delivered is not charged.
        """
        state, code = "cancelled", "client_left"
        try:
            while True:
                try:
                    said = [message async for message in self._attempt()]
                except Gone as error:
                    logger.warning("worker broke off", error=str(error), request_id=self.source.request_id)
                    await self._take_over(error)
                    continue
                data = b"".join(message.data for message in said if isinstance(message, Audio))
                recording = Recording(data, [message for message in said if isinstance(message, Mark)])
                if deliver is not None:
                    await deliver(recording)
                state, code = "ok", ""
                return recording
        except AppError as error:
            state, code = "failed", error.code
            raise
        finally:
            if state != "ok":
                self.outcome.characters_charged = 0
            await self._end(state, code)

    async def _take_over(self, error: Gone) -> None:
        """Raises `UpstreamFailed` where no other worker can."""
        try:
            if await self.attempts.next_worker():
                return
        except Unavailable as refusal:
            logger.info("no other worker", reason=refusal.message, request_id=self.source.request_id)
        raise UpstreamFailed("The worker broke off and no other could take over.") from error

    def close(self) -> None:
        """For a server that drops the answer without reading it; safe from any thread, and after the end."""
        if not self.admitted.settled:
            asyncio.run_coroutine_threadsafe(self._end("cancelled", "client_left"), self.runtime.loop)

    async def _attempt(self) -> AsyncIterator[Audio | Mark]:
        """What the worker that answers now says. Raises `Gone` where it ends before its end.

        A cloned voice is spoken no longer than its consent lasts: raises what `Clone.require` does.
        """
        if self.tape is not None:
            self.tape.release()  # of what a worker said that broke off
        async for message in self.attempts.messages():
            if self.clone is not None:
                await self.clone.require()
            match message:
                case Audio():
                    if self.tape is not None:
                        self.tape.add(message.data)
                    yield message
                case Mark():
                    yield message
                    # Counted once it was taken: a surface may send what it closes only then.
                    self.outcome.characters_charged = min(message.source_to, len(self.body.text))
                    self.outcome.audio_ms = message.audio_ms
                case End():
                    self.outcome.characters_charged = len(self.body.text)
                    self.outcome.audio_ms = message.audio_ms
                    self.outcome.engine_ms = message.gpu_ms

    async def _end(self, state: str, error_code: str) -> None:
        """Settles first, so that nothing which fails later can leave the row open."""
        if self.admitted.settled:
            return
        self.outcome.state, self.outcome.error_code = state, error_code
        self.outcome.deployment_id = self.attempts.deployment_id
        total_ms = self.runtime.admission.settle(self.admitted, self.outcome)
        metrics.SPEECH_REQUESTS.labels(state).inc()
        asyncio.get_running_loop().call_soon(self._log, total_ms)  # after the client has its last byte
        if self.tape is not None:
            self.runtime.history.take(self, self.tape)
        await self.attempts.close()

    def _log(self, total_ms: float) -> None:
        identity, outcome = self.admitted.identity, self.outcome
        logger.info(
            "speech",
            request_id=self.source.request_id,
            surface=self.source.surface,
            organization=str(identity.organization_id),
            key=identity.key_prefix,
            state=outcome.state,
            error_code=outcome.error_code,
            model=self.choice.model,
            voice=self.choice.voice,
            format=self.encoding.format,
            characters=len(self.body.text),
            characters_charged=outcome.characters_charged,
            audio_ms=outcome.audio_ms,
            engine_ms=outcome.engine_ms,
            ttfb_ms=round(outcome.ttfb_ms, 1) if outcome.ttfb_ms is not None else None,
            total_ms=round(total_ms, 1),
        )


async def speak(runtime: Runtime, caller: Caller, body: SpeechBody, source: Source) -> Speech:
    """Resolves, admits, routes, and waits for the first audio. Raises an `AppError` for every refusal."""
    limit = caller.limits.characters_per_request
    if len(body.text) > limit:
        raise InvalidRequest(
            f"The text has {len(body.text)} characters; at most {limit} are allowed.",
            code="text_too_long",
            param="text",
        )
    encoding = body.encoding()
    choice, need, clone = await meant(runtime, caller, body)
    reach = reach_of(caller)
    slot = await _slot_before_admission(runtime, need, source)
    asked = Asked(
        source.request_id,
        source.surface,
        choice.model,
        choice.voice,
        characters=len(body.text),
        body_hash=source.body_hash,
    )
    try:
        admitted = await runtime.admission.admit(caller, asked, started=source.started)
    except BaseException:
        if slot is not None:
            slot.release()
        raise
    if clone is not None and clone.policy_version != admitted.identity.policy_version:
        clone.doubt()  # it was found by what admission says is out of date
    attempts = Attempts(
        runtime,
        _wire_request(body, choice, source, tenant=str(need.tenant)),
        need,
        slot=slot,
        wait_seconds=source.wait_seconds,
        word_times=body.word_times,
        clone=clone,
    )
    tape = runtime.history.tape() if caller.identity.history_days and source.is_kept else None
    speech = Speech(runtime, admitted, body, encoding, source, choice, attempts, clone, tape=tape)
    if reach_of(caller) != reach:  # admission found the policy stale
        await speech.refuse(Unavailable("Your organization's plan has just changed. Try again."))
    await speech.begin()
    return speech


async def _slot_before_admission(runtime: Runtime, need: Need, source: Source) -> Slot | None:
    """A free slot, `None` where the request must wait or wake somebody first: that is for the admitted.

    Raises `Unavailable` where nobody will speak it in time: such a request leaves no record.
    """
    router = runtime.router
    return router.take(need) or await router.foresee(need, router.patience(source.wait_seconds))


def _wire_request(body: SpeechBody, choice: Choice, source: Source, *, tenant: str) -> SpeechRequest:
    """A WAV is asked for without its header: that of a whole one tells sizes which only we get to know."""
    return SpeechRequest(
        text=body.text,
        request_id=source.request_id,
        model=choice.model,
        voice=choice.voice,
        language=body.language,
        speed=body.speed,
        seed=body.seed,
        exaggeration=body.exaggeration,
        cfg_weight=body.cfg_weight,
        temperature=body.temperature,
        top_p=body.top_p,
        min_p=body.min_p,
        repetition_penalty=body.repetition_penalty,
        format="pcm" if body.format == "wav" else body.format,
        sample_rate=body.sample_rate,
        bitrate=body.bitrate,
        stream=True,
        normalize=body.normalize,
        unknown_tags=body.unknown_tags,
        deadline_ms=DEADLINE_MS,
        tenant=tenant,
    )
