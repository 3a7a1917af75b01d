"""Workers asked in turn until one has spoken: what is tried again, and what the caller is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import UUID

import structlog

from apps.core.errors import CannotSpeak, InvalidRequest
from apps.deployments import older_image
from apps.deployments.routing import Target
from apps.tts.runtime import Runtime
from apps.tts.upstream import Gone, Refused, Upstream
from apps.tts.whole_wav import WholeWav
from gpu_worker.protocol import Audio, End, Error, Message, SpeechRequest, Start

logger = structlog.get_logger(__name__)


class Attempts:
    """One request's workers, best first. Call `next_worker` until it is true, then read `messages`."""

    def __init__(
        self, runtime: Runtime, request: SpeechRequest, targets: list[Target], *, word_times: bool = False
    ) -> None:
        """With `word_times` those workers that know when each word is spoken are asked to tell."""
        self.start: Start | None = None
        self.deployment_id: UUID | None = None
        self.has_word_times = False
        self._wants_word_times = word_times
        self._runtime = runtime
        self._request = request
        self._targets = targets
        self._first = Audio(b"")
        self._messages: AsyncIterator[Message] | None = None
        self._resources = AsyncExitStack()

    async def next_worker(self) -> bool:
        """True once a worker has spoken, false where none is left to try. Raises a worker's refusal."""
        await self.close()
        while self._targets:
            if await self._ask(self._targets.pop(0)):
                return True
        return False

    async def messages(self) -> AsyncIterator[Message]:
        """From the first audio to the end. Raises `Gone` where the worker does not come to its end."""
        assert self._messages is not None  # noqa: S101 - begun
        yield self._first
        async for message in self._messages:
            if isinstance(message, Error):
                raise Gone(message.code)
            yield message

    async def close(self) -> None:
        """Closes the connection, which ends the work. Safe to repeat."""
        await self._resources.aclose()

    async def _ask(self, target: Target) -> bool:
        """True once the target has spoken; false where another worker may be asked. Raises its refusal."""
        attempt = AsyncExitStack()
        try:
            attempt.enter_context(self._runtime.router.in_flight(target))
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
        self.deployment_id = target.deployment_id
        self.has_word_times = self._gives_word_times(target)
        return True

    def _upstream(self, target: Target) -> Upstream | WholeWav:
        session = self._runtime.upstream
        if target.protocol == older_image.PROTOCOL:
            return WholeWav(session, target, self._request, self._runtime.turns)
        request = self._request
        if self._gives_word_times(target):
            request = replace(request, timestamps="word")
        return Upstream(session, target, request)

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
                    raise Refused(503 if message.retryable else 422, message.code, message.message)
                case End():
                    raise Refused(422, "cannot_speak", "There is nothing in this text to speak.")

    def _again_after(self, error: Gone | Refused, target: Target) -> bool:
        """False where another worker may do better; else raises what the caller is told."""
        if isinstance(error, Gone):
            self._runtime.router.report_failure(target)
            logger.warning("worker gone", worker=str(target.worker_id), error=str(error))
            return False
        if error.code == "cannot_speak" or error.status == 422:
            raise CannotSpeak(error.message, param="text") from error
        if error.status in {400, 413}:
            raise InvalidRequest(error.message, param=error.param) from error
        logger.warning("worker refused", worker=str(target.worker_id), status=error.status, code=error.code)
        return False
