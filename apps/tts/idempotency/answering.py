"""The way of a call that carries an idempotency key, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog

from apps.core import metrics
from apps.core.errors import InvalidRequest
from apps.core.threads import BlockingThreads
from apps.tts.calls import Answer, Call
from apps.tts.idempotency import claims
from apps.tts.idempotency.claims import Asked, Claim
from apps.tts.idempotency.models import MAX_KEY_CHARACTERS, IdempotentAnswer
from apps.tts.tapes import Tapes

if TYPE_CHECKING:
    from apps.tts.endpoints import Endpoint
    from apps.tts.runtime import Runtime

logger = structlog.get_logger(__name__)

HEADER: Final = "idempotency-key"
_THREADS: Final = 4
State = IdempotentAnswer.State


async def answer_once(endpoint: Endpoint, call: Call, runtime: Runtime) -> Answer:
    """The endpoint's answer, made by the first call of a key and given again to later ones.

    Raises what the endpoint does, `InvalidRequest` for a key that is none, and `Conflict` (`claims.claim`).
    An idempotency key belongs to the API key that sends it; a caller without one has none.
    """
    caller = await endpoint.identify(call, runtime)
    key_id = caller.identity.key_id
    if key_id is None:
        return await endpoint.answer(call, runtime)
    key = checked_key(call.headers[HEADER])
    asked = Asked(caller.identity.organization_id, key_id, key, call.digest())
    claimed = await runtime.idempotency.claim(asked)
    if isinstance(claimed, Answer):
        metrics.SPEECH_REPLAYS.inc()
        return claimed
    making = _Making(runtime.idempotency, claimed)
    try:
        answer = await endpoint.answer(call, runtime)
    except BaseException:
        await making.end(None)
        raise
    return await making.taped(answer)


class Idempotency:
    """What one speech process keeps for its calls under idempotency keys; on one event loop."""

    def __init__(self, *, owner_id: UUID, tapes: Tapes) -> None:
        """`owner_id` is the process as its heartbeat names it."""
        self.tapes = tapes
        self.loop = asyncio.get_running_loop()
        self.threads = BlockingThreads(_THREADS, name="idempotency")
        self._owner_id = owner_id
        self._tasks: set[asyncio.Task[None]] = set()

    async def claim(self, asked: Asked) -> Claim | Answer:
        """As `claims.claim`. What was claimed for a caller who has left meanwhile is given up again."""
        claiming = asyncio.create_task(self.threads.run(lambda: claims.claim(asked, owner_id=self._owner_id)))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            self._begin(self._unclaim(claiming))
            raise

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.threads.stop()

    async def finished(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for the work, which goes on where whoever waits is cancelled."""
        await asyncio.shield(self._begin(work))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _unclaim(self, claiming: asyncio.Task[Claim | Answer]) -> None:
        claimed = await claiming
        if isinstance(claimed, Claim):
            await self.threads.run(lambda: claims.give_up(claimed))


class _Making:
    """One answer that is being made and collected."""

    def __init__(self, idempotency: Idempotency, claim: Claim) -> None:
        self._idempotency = idempotency
        self._claim = claim
        self._tape = idempotency.tapes.new()
        self._headers: dict[str, str] = {}
        self._is_read = False
        self._is_ended = False

    async def taped(self, answer: Answer) -> Answer:
        """The same answer, its end held back until it is kept: whoever has all of it can have it again."""
        self._headers = dict(answer.headers)  # before the door adds what is of this call alone
        if answer.stream is None:
            self._tape.add(answer.body)
            await self.end(answer)
            return answer
        drop = answer.drop

        def drop_both() -> None:
            if drop:
                drop()
            if not self._is_read:  # else the stream's own end does it
                asyncio.run_coroutine_threadsafe(self.end(None), self._idempotency.loop)

        answer.stream = self._read(answer, answer.stream)
        answer.drop = drop_both
        return answer

    async def end(self, answer: Answer | None) -> None:
        """Keeps an answer that came whole; None is one that did not, whose key is free again."""
        if self._is_ended:
            return
        self._is_ended = True
        await self._idempotency.finished(self._settle(answer))

    async def _read(self, answer: Answer, stream: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        self._is_read = True
        whole = None
        try:
            async with aclosing(stream) as parts:
                async for data in parts:
                    self._tape.add(data)
                    yield data
            whole = answer
        finally:
            await self.end(whole)

    async def _settle(self, answer: Answer | None) -> None:
        """Logs what goes wrong: the answer itself is as good as it was."""
        try:
            await self._idempotency.threads.run(lambda: self._store(answer))
        except Exception as error:
            logger.error("idempotent answer not kept", answer=str(self._claim.id), exc_info=error)
        finally:
            self._tape.release()

    def _store(self, answer: Answer | None) -> None:
        if answer is None or not answer.is_whole:
            claims.give_up(self._claim)
        elif self._tape.is_too_large:
            claims.mark(self._claim, State.TOO_LARGE)
        elif self._tape.found_no_room:
            claims.mark(self._claim, State.LOST)
        else:
            self._keep(answer)

    def _keep(self, answer: Answer) -> None:
        try:
            claims.keep(self._claim, status=answer.status, headers=self._headers, body=self._tape.content())
        except Exception:
            claims.mark(self._claim, State.LOST)
            raise


def checked_key(key: str) -> str:
    """Raises `InvalidRequest`."""
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY_CHARACTERS):
        raise InvalidRequest(
            f"An Idempotency-Key is 1 to {MAX_KEY_CHARACTERS} printable ASCII characters.",
            code="invalid_idempotency_key",
            param="Idempotency-Key",
        )
    return key
