"""So many calls a second to Verda by all processes together, in whatever second one looks."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.core import redis_client
from apps.deployments.providers.verda_setup import SharedLimiter

CALLS = 5


@pytest.fixture(autouse=True)
def nobody_has_called() -> None:
    with redis_client.connect() as connected:
        connected.delete("verda:calls")


def a_call(_: int) -> float:
    SharedLimiter(CALLS).acquire()
    return time.monotonic()


def test_no_second_has_more_calls_than_allowed() -> None:
    time.sleep((0.8 - time.time()) % 1)  # the turn of a second by the clock is no second chance
    with ThreadPoolExecutor(8) as callers:
        moments = sorted(callers.map(a_call, range(3 * CALLS)))
    # Heard a little later than granted, each by another little.
    apart = [later - earlier for earlier, later in zip(moments, moments[CALLS:], strict=False)]
    assert min(apart) > 0.8
    assert moments[CALLS - 1] - moments[0] < 0.8
    assert moments[-1] - moments[0] < 3


def test_who_called_long_ago_waits_for_nobody() -> None:
    for number in range(CALLS):
        a_call(number)
    time.sleep(1.05)
    began = time.monotonic()
    assert a_call(0) - began < 0.5


def test_without_redis_each_goes_alone(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    began = time.monotonic()
    for number in range(2 * CALLS):
        a_call(number)
    assert time.monotonic() - began < 1
