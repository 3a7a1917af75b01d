"""Workers asked in turn until one has spoken: who is asked again, and what the caller is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Protocol
from uuid import UUID

import aiohttp
import structlog

from apps.core.errors import CannotSpeak, InvalidRequest
from apps.deployments import older_image
from apps.deployments.routing import Need, Router, Slot, Target
from apps.tts.cloning import Clone
from apps.tts.upstream import FAULTS, Gone, Refused, Upstream, refusal_of
from apps.tts.whole_wav import WholeWav
from gpu_worker.protocol import Audio, End, Error, ErrorCode, Message, SpeechRequest, Start

logger = structlog.get_logger(__name__)

MAX_WORKERS_TRIED = 3


class Mouth(Protocol):
    """What reaches workers: a speech process, or whoever else speaks."""

    @property
    def router(self) -> Router: ...

    @property
    def upstream(self) -> aiohttp.ClientSession: ...


class Attempts:
    """One request's workers, best first. Call `next_worker` until it is true, then read `messages`."""

    def __init__(
        self,
        mouth: Mouth,
        request: SpeechRequest,
        need: Need,
        *,
        slot: Slot | None = None,
        wait_seconds: float | None = None,
        word_times: bool = False,
        clone: Clone | None = None,
    ) -> None:
        """The first to be asked is that of `slot`; `wait_seconds` is the caller's wish (`Router.patience`).

        With `word_times` those workers that know when each word is spoken are asked to tell. With `clone`
        they speak with that voice, which the request then does not name.
        """
        self.start: Start | None = None
        self.target: Target | None = None
        self.deployment_id: UUID | None = None
        self.has_word_times = False
        self._wants_word_times = word_times
        self._wait_seconds = wait_seconds
        self._mouth = mouth
        self._request = request
        self._clone = clone
        self._need = need
        self._slot = slot
        self._tried: set[UUID] = set()
        self._first = Audio(b"")
        self._messages: AsyncIterator[Message] | None = None
        self._resources = AsyncExitStack()

    async def next_worker(self) -> bool:
        """True once a worker has spoken, false where enough have failed.

        Raises a worker's refusal, and what `Router.route` does. One that has no room is no failure: it is
        asked again, as long as the caller's patience lasts.
        """
        router = self._mouth.router
        patience = router.patience(self._wait_seconds)
        slot, self._slot = self._slot, None
        await self.close()
        while len(self._tried) < MAX_WORKERS_TRIED:
            if slot is None:
                slot = await router.route(self._need, tried=self._tried, patience=patience)
            if await self._ask(slot):
                return True
            slot = None
        return False

    async def messages(self) -> AsyncIterator[Message]:
        """From the first audio to the end. Raises `Gone` where the worker does not come to its end."""
        assert self._messages is not None  # noqa: S101 - begun
        assert self.target is not None  # noqa: S101 - begun
        yield self._first
        try:
            async for message in self._messages:
                if isinstance(message, Error):
                    raise Gone(message.code, is_fault=message.code in FAULTS)
                yield message
        except Gone as error:
            self._failed(self.target, error)
            raise

    async def close(self) -> None:
        """Closes the connection, which ends the work, and gives the slot back. Safe to repeat."""
        if self._slot is not None:
            self._slot.release()
        await self._resources.aclose()

    async def _ask(self, slot: Slot) -> bool:
        """True once the worker has spoken; false where another may be asked. Raises its refusal."""
        target, attempt = slot.target, AsyncExitStack()
        try:
            attempt.enter_context(slot)
            upstream = await self._answer_of(target, attempt)
            if not upstream.needs_worker:
                slot.release()
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
        self.target = target
        self.deployment_id = target.deployment_id
        self.has_word_times = self._gives_word_times(target)
        return True

    async def _answer_of(self, target: Target, attempt: AsyncExitStack) -> Upstream | WholeWav:
        """The worker's answer, begun. One that lacks a cloned voice is told where it is, or sent it."""
        enter, clone = attempt.enter_async_context, self._clone
        if clone is None:
            return await enter(self._upstream(target, self._request))
        try:
            return await enter(self._upstream(target, await self._cloned(clone)))
        except Refused as refusal:
            if refusal.code != ErrorCode.VOICE_MISSING:
                raise
        if location := await clone.location():
            request = replace(await self._cloned(clone), reference_url=location)
            try:
                return await enter(self._upstream(target, request))
            except Refused as refusal:
                if refusal.param != "reference_url" and refusal.code != ErrorCode.REFERENCE_UNAVAILABLE:
                    raise
                logger.warning("recording not fetched", worker=str(target.worker_id), code=refusal.code)
        recording = await clone.recording()
        return await enter(self._upstream(target, await self._cloned(clone), recording=recording))

    async def _cloned(self, clone: Clone) -> SpeechRequest:
        """With a token of this moment: waiting for a worker may take longer than one is good for."""
        return replace(self._request, voice=clone.voice.sha256, consent=await clone.token())

    def _upstream(
        self, target: Target, request: SpeechRequest, *, recording: bytes | None = None
    ) -> Upstream | WholeWav:
        session = self._mouth.upstream
        if target.protocol == older_image.PROTOCOL:
            return WholeWav(session, target, request)
        if self._gives_word_times(target):
            request = replace(request, timestamps="word")
        return Upstream(session, target, request, recording=recording)

    def _gives_word_times(self, target: Target) -> bool:
        return self._wants_word_times and "timestamps" in target.features

    async def _until_audio(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            match message:
                case Start():
                    self.start = message
                case Audio():
                    self._first = message
                    return
                case Error():
                    raise refusal_of(message)
                case End():
                    raise Refused(422, "cannot_speak", "There is nothing in this text to speak.")

    def _again_after(self, error: Gone | Refused, target: Target) -> bool:
        """False where another worker may do better; else raises what the caller is told."""
        if isinstance(error, Gone):
            self._failed(target, error)
            return False
        if error.is_busy:
            self._mouth.router.report_busy(target, error.retry_after_seconds)
            return False
        if error.code == "cannot_speak" or error.status == 422:
            raise CannotSpeak(error.message, param="text") from error
        if error.status in {400, 413}:
            raise InvalidRequest(error.message, param=error.param) from error
        logger.warning("worker refused", worker=str(target.worker_id), status=error.status, code=error.code)
        self._failed(target, error)
        return False

    def _failed(self, target: Target, error: Gone | Refused) -> None:
        """This request asks it no more; nobody does for a moment, where the worker is to blame."""
        self._tried.add(target.worker_id)
        if error.is_fault:
            self._mouth.router.report_failure(target, reason=str(error))
