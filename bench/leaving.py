"""Clients that leave in the middle of a long text: how soon the CPU engine serves the next one."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.errors import BenchError
from bench.figures import median
from bench.report import table
from bench.speaking import PASSAGE
from bench.stage import Running
from gpu_worker.protocol import MAX_TEXT_CHARACTERS, TOKEN_HEADER

MAX_RELEASE_MS = 200.0
_LONG = (PASSAGE + " ") * (MAX_TEXT_CHARACTERS // (len(PASSAGE) + 1))
_SHORT = "Ready."
_INTO_THE_WORK_SECONDS = 0.3
_GIVE_UP_SECONDS = 10.0
# At 0.5 the engine takes longest between two moments at which it can be stopped.
_SPEEDS = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Leaving:
    """`next` is a short request sent as clients leave every thread of the engine: its first byte, in ms.

    `idle_p50_ms` is that of the same request where nobody was there before.
    """

    times: int
    idle_p50_ms: float
    next_min_ms: float
    next_p50_ms: float
    next_max_ms: float


def measure(worker: Running, *, threads: int, times: int) -> Leaving:
    """Each time so many clients as the engine has threads ask for 10,000 characters, whole, and leave."""
    idle = median([_first_byte_ms(worker) for _ in range(times)])
    taken = [_leave(worker, threads, _SPEEDS[number % len(_SPEEDS)]) for number in range(times)]
    return Leaving(times, idle, min(taken), median(taken), max(taken))


def print_table(leaving: Leaving) -> None:
    head = ("times", "idle p50", "next, least", "p50", "most")
    table(
        "Clients leave every engine thread; the next one's first byte, ms",
        head,
        [tuple(vars(leaving).values())],
    )


def _leave(worker: Running, threads: int, speed: float) -> float:
    clients = [_asked(worker, _LONG, speed) for _ in range(threads)]
    try:
        time.sleep(_INTO_THE_WORK_SECONDS)
        if _active(worker) != threads:
            raise BenchError("the worker was not at work when its clients left")
    finally:
        for client in clients:
            client.close()
    return _first_byte_ms(worker)


def _first_byte_ms(worker: Running) -> float:
    asked_at = time.perf_counter()
    client = _asked(worker, _SHORT, 1.0)
    try:
        answer = client.getresponse()
        if answer.status != 200 or not answer.read():
            raise BenchError(f"the worker answered {answer.status}")
        return 1000 * (time.perf_counter() - asked_at)
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"the worker did not answer: {error}") from error
    finally:
        client.close()


def _asked(worker: Running, text: str, speed: float) -> http.client.HTTPConnection:
    client = _connection(worker)
    body = json.dumps({"text": text, "format": "pcm", "speed": speed})
    client.request(
        "POST", "/generate", body, {TOKEN_HEADER: worker.token, "Content-Type": "application/json"}
    )
    return client


def _active(worker: Running) -> int:
    client = _connection(worker)
    try:
        client.request("GET", "/ready")
        return int(json.loads(client.getresponse().read())["queue"]["active"])
    finally:
        client.close()


def _connection(worker: Running) -> http.client.HTTPConnection:
    parts = urlsplit(worker.url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_GIVE_UP_SECONDS)
