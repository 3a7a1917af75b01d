"""Kills in the middle of 200 requests: each admitted one has one closed record, nothing is held afterwards,
nothing is charged that was not delivered, and no month becomes free."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.platform import until
from tests.tts.disasters.load import AT_ONCE, BYTES_A_MS, Asked, Load, text_of
from tests.tts.disasters.world import MONTH_LIMIT, World, running_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETTLES_WITHIN_SECONDS = 100
DATABASE_AWAY_SECONDS = 10


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("world")) as running:
        yield running


def speech_is_killed(world: World) -> None:
    world.kill_speech()
    world.server.restart()


def a_worker_is_killed(world: World) -> None:
    world.workers[0].stop()


def celery_is_killed(world: World) -> None:
    world.kill_celery()
    time.sleep(1)
    world.start_celery()


def redis_is_killed(world: World) -> None:
    world.kill_redis()
    time.sleep(2)
    world.start_redis()


def redis_is_flushed(world: World) -> None:
    world.flush_redis()


def the_database_is_away(world: World) -> None:
    world.stop_postgres()
    time.sleep(DATABASE_AWAY_SECONDS)
    world.start_postgres()


DISASTERS = [
    celery_is_killed,
    redis_is_flushed,
    redis_is_killed,
    the_database_is_away,
    speech_is_killed,
    a_worker_is_killed,  # last: it stays dead
]


@pytest.mark.parametrize("disaster", DISASTERS, ids=lambda disaster: disaster.__name__)
def test_afterwards_everything_is_accounted_for(world: World, disaster: Callable[[World], None]) -> None:
    with Load(world.server.url, world.key, run=disaster.__name__) as load:
        disaster(world)

    asked = load.asked
    until(world.is_settled, seconds=SETTLES_WITHIN_SECONDS, what="every request to be settled")
    assert sum(one.is_whole for one in asked) >= len(asked) // 4, "hardly anything was spoken at all"
    records = world.records()
    for one in asked:
        rows = records.get(one.request_id, [])
        assert len(rows) <= 1, f"{one} has {len(rows)} records"
        if one.status == 200:
            assert len(rows) == 1, f"{one} was spoken without a record"
        for row in rows:
            check_charge(one, row)
    check_month(world)


def check_charge(one: Asked, row: dict[str, object]) -> None:
    charged, audio_ms = int(str(row["characters_charged"])), int(str(row["audio_ms"]))
    assert row["state"] in {"ok", "failed", "cut", "cancelled"}
    assert row["closed_at"] is not None
    if row["state"] == "ok":
        # Killed after the last byte and before its settlement, a process leaves a cut that costs nothing.
        assert (charged, one.is_whole) == (len(one.text), True), (one, row)
    elif row["state"] == "failed" or one.status != 200:
        assert charged == 0, (one, row)
    else:
        assert charged == 0 or audio_ms * BYTES_A_MS <= one.received_bytes + BYTES_A_MS, (one, row)
        assert charged <= len(one.text)


def check_month(world: World) -> None:
    """What the caller is told is left is the limit less what PostgreSQL says was charged.

    Where Redis forgot its counters, those of what was being settled in that moment may be missing until the
    counter is next read from PostgreSQL, ten minutes later at most.
    """
    text = "One more."
    before = world.charged()
    response = httpx.post(
        f"{world.server.url}/generate", json={"text": text, "model": "tone"}, headers={"X-API-Key": world.key}
    )
    assert response.status_code == 200, response.text
    left, settling = MONTH_LIMIT - before - len(text), AT_ONCE * len(text_of(2))
    assert left <= int(response.headers["X-Quota-Remaining"]) <= left + settling
    until(world.is_settled, what="the last request to be settled")
    assert world.charged() == before + len(text)
