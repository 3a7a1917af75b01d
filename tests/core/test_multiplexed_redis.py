"""One connection to Redis for many: answers find who asked, and a broken one is made anew."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from django.conf import settings
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as AnswerTimeout

from apps.core.multiplexed_redis import MultiplexedRedis
from tests.redises import client, redis_behind_a_wire


@asynccontextmanager
async def opened(url: str = settings.REDIS_URL) -> AsyncIterator[MultiplexedRedis]:
    line = MultiplexedRedis(url)
    try:
        yield line
    finally:
        await line.close()


@pytest_asyncio.fixture
async def line() -> AsyncIterator[MultiplexedRedis]:
    async with opened() as made:
        yield made


async def test_answers_come_to_who_asked(line: MultiplexedRedis) -> None:
    asked = [f"{number:05}" for number in range(500)]
    assert await asyncio.gather(*(line.run("ECHO", word) for word in asked)) == [w.encode() for w in asked]


async def test_answers_of_each_kind(line: MultiplexedRedis) -> None:
    key = f"test:{uuid.uuid4()}"
    assert await line.run("GET", key) is None
    assert await line.run("SET", key, "ü" * 100_000, "PX", 5000) == b"OK"
    assert await line.run("STRLEN", key) == 200_000
    assert await line.run("GET", key) == ("ü" * 100_000).encode()
    assert await line.run("DEL", key) == 1


async def test_it_asks_in_the_database_of_its_address() -> None:
    key = f"test:{uuid.uuid4()}"
    async with opened(settings.REDIS_URL.rsplit("/", 1)[0] + "/5") as elsewhere, client() as here:
        await elsewhere.run("SET", key, "there", "PX", 5000)
        assert await here.get(key) is None
        assert await elsewhere.run("GET", key) == b"there"


async def test_a_refusal_is_of_the_one_who_caused_it(line: MultiplexedRedis) -> None:
    answers = await asyncio.gather(
        line.run("PING"), line.run("NONSENSE"), line.run("ECHO", "still here"), return_exceptions=True
    )
    assert (answers[0], answers[2]) == (b"PONG", b"still here")
    assert isinstance(answers[1], ResponseError)


async def test_who_leaves_gets_no_one_elses_answer(line: MultiplexedRedis) -> None:
    await line.run("PING")
    leaving = asyncio.create_task(line.run("ECHO", "first"))
    staying = asyncio.create_task(line.run("ECHO", "second"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == b"second"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_who_leaves_while_it_connects_keeps_no_one_from_it() -> None:
    async with opened() as line:
        leaving, staying = (asyncio.create_task(line.run("ECHO", word)) for word in ("first", "second"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == b"second"


async def test_a_script_is_sent_whole_where_redis_has_not_got_it(line: MultiplexedRedis) -> None:
    script = line.script("return {KEYS[1], ARGV[1] + ARGV[2]}")
    async with client() as other:
        for _ in range(2):
            assert await script(keys=["k"], args=[2, "3"]) == [b"k", 5]
            await other.script_flush()


async def test_a_script_that_fails_says_so(line: MultiplexedRedis) -> None:
    with pytest.raises(ResponseError):
        await line.script("return redis.call('GET')")(keys=[], args=[])


async def test_a_broken_connection_is_made_anew() -> None:
    async with redis_behind_a_wire() as (url, wire), opened(url) as line:
        assert await line.run("PING") == b"PONG"
        await wire.cut()
        await wire.mend()
        assert await asyncio.gather(*(line.run("ECHO", "x") for _ in range(20))) == [b"x"] * 20


async def test_away_is_said_at_once_and_the_way_back_is_found() -> None:
    async with redis_behind_a_wire() as (url, wire), opened(url) as line:
        await line.run("PING")
        await wire.cut()
        for _ in range(3):
            with pytest.raises(RedisError):
                await line.run("PING")
        await wire.mend()
        assert await line.run("PING") == b"PONG"


async def test_no_answer_is_a_timeout_for_all_who_wait_and_its_late_coming_fools_nobody() -> None:
    async with redis_behind_a_wire() as (url, wire), opened(url) as line:
        await line.run("PING")
        wire.stall()
        answers = await asyncio.gather(*(line.run("ECHO", "old") for _ in range(5)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {AnswerTimeout}
        wire.resume()
        assert await line.run("ECHO", "new") == b"new"


async def test_closing_fails_who_waits() -> None:
    async with opened() as line:
        await line.run("PING")
        waiting = asyncio.create_task(line.run("BLPOP", f"test:{uuid.uuid4()}", 0))
        await asyncio.sleep(0.02)
        await line.close()
        with pytest.raises(Disconnected):
            await waiting


async def test_a_wrong_password_is_a_refusal() -> None:
    address = settings.REDIS_URL.rsplit("@", 1)[-1].removeprefix("redis://")
    async with opened(f"redis://:wrong@{address}") as line:
        with pytest.raises(RedisError):
            await line.run("PING")
