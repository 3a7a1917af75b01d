"""One connection to Redis for all that happens on an event loop, at the least cost a command.

redis-py takes a connection out of a pool for each command, waits under a timeout of its own for each answer,
and throws the connection away where the caller leaves meanwhile. Here commands leave as they come, answers
are given to who waits in the same order, and who has left is passed over. Connecting is redis-py's:
addresses, TLS and logins.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import hiredis
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as AnswerTimeout

from apps.core.redis_client import TIMEOUTS

Word = str | bytes | int
_GRACE_SECONDS: Final = 0.02


class MultiplexedRedis:
    """Connects when first asked, and anew after it broke."""

    def __init__(self, url: str) -> None:
        self._pool: Any = ConnectionPool.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0), **TIMEOUTS)
        self._connection: Any = None
        self._conversation: _Conversation | None = None
        self._connecting: asyncio.Task[_Conversation] | None = None
        self._is_closed = False

    async def run(self, *words: Word) -> Any:
        """The answer to a command, strings as bytes. Raises `RedisError` or `OSError`.

        One more try, at once, where the connection breaks: it may have lain idle while Redis was restarted.
        """
        packed = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub knows one word
        try:
            return await (await self._connected()).ask(packed)
        except Disconnected:
            return await (await self._connected()).ask(packed)

    def script(self, source: str) -> Script:
        return Script(self, source)

    async def close(self) -> None:
        """For good. Whoever waits for an answer is told that it will not come."""
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        await self._drop()

    async def _connected(self) -> _Conversation:
        if self._conversation is not None and not self._conversation.is_over:
            return self._conversation
        if self._is_closed:
            raise Disconnected("The connection was closed.")
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._forget_connecting)
        # Others wait for the same: who leaves does not take it from them.
        return await asyncio.shield(self._connecting)

    async def _connect(self) -> _Conversation:
        await self._drop()
        connection = self._pool.make_connection()
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._connection, self._conversation = connection, _Conversation()
        # redis-py keeps the stream it has logged in on to itself; this is all that is asked of it.
        self._conversation.take_over(connection._writer.transport)
        return self._conversation

    async def _drop(self) -> None:
        conversation, self._conversation = self._conversation, None
        connection, self._connection = self._connection, None
        if conversation is not None:
            conversation.break_off(Disconnected("The connection was closed."))
        if connection is not None:
            await connection.disconnect(nowait=True)

    def _forget_connecting(self, task: asyncio.Task[_Conversation]) -> None:
        self._connecting = None
        if not task.cancelled():
            task.exception()  # whoever waited for it may have left


class Script:
    """A Lua script, sent whole only where Redis has not got it."""

    def __init__(self, line: MultiplexedRedis, source: str) -> None:
        self._line = line
        self._source = source
        # Redis's own name for it, no secret.
        self._digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: Sequence[Word], args: Sequence[Word]) -> Any:
        """Raises as `MultiplexedRedis.run` does."""
        try:
            return await self._line.run("EVALSHA", self._digest, len(keys), *keys, *args)
        except NoScriptError:
            return await self._line.run("EVAL", self._source, len(keys), *keys, *args)


class _Conversation(asyncio.Protocol):
    """The bytes on one connection, from the moment it is logged in."""

    _TIMEOUT_SECONDS: Final = TIMEOUTS["socket_timeout"]

    def __init__(self) -> None:
        self.is_over = False
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=_reply_error)
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._late: asyncio.Future[Any] | None = None
        self._transport: Any = None

    def take_over(self, transport: Any) -> None:
        self._transport = transport
        transport.set_protocol(self)

    def ask(self, packed: bytes) -> asyncio.Future[Any]:
        """The answer to come; where it takes too long, the connection is given up with all who wait."""
        answer = self._loop.create_future()
        if self.is_over:
            answer.set_exception(Disconnected("The connection is closed."))
            return answer
        self._waiting.append((answer, self._loop.time()))
        self._transport.write(packed)
        if self._watch is None:
            self._watch = self._loop.call_later(self._TIMEOUT_SECONDS, self._look)
        return answer

    def break_off(self, error: Exception) -> None:
        self.is_over = True
        if self._watch is not None:
            self._watch.cancel()
        self._transport.abort()
        while self._waiting:
            answer, _ = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error)
                answer.exception()  # whoever waited for it may have left

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                answer, _ = self._waiting.popleft()
                if answer.done():
                    continue
                if isinstance(reply, Exception):
                    answer.set_exception(reply)
                else:
                    answer.set_result(reply)
        except (hiredis.ProtocolError, IndexError) as error:
            self.break_off(Disconnected(f"Redis said what is no answer: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_over:
            self.break_off(Disconnected(str(exc or "Redis closed the connection.")))

    def _look(self) -> None:
        """Far cheaper than a timer for each command."""
        self._watch = None
        if not self._waiting:
            return
        answer, asked = self._waiting[0]
        left = asked + self._TIMEOUT_SECONDS - self._loop.time()
        if left <= 0 and answer is self._late:
            self.break_off(AnswerTimeout("Redis does not answer."))
            return
        if left <= 0:
            # It may have come while the loop was busy, which runs timers before it reads.
            self._late, left = answer, _GRACE_SECONDS
        self._watch = self._loop.call_later(left, self._look)


def _reply_error(message: str) -> ResponseError:
    return NoScriptError(message) if message.startswith("NOSCRIPT") else ResponseError(message)
