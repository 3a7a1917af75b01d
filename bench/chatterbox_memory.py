"""Memory and the time of a step as requests go by, on a tiny checkpoint: a child of `bench.chatterbox`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from gpu_worker.engines.base import Done
from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from gpu_worker.engines.chatterbox.session import ChatterboxSession
from tests.chatterbox import tiny
from tests.chatterbox.speaking import utterance

REQUESTS = 200
EARLY = 20
AT_ONCE = 4
TURNS = 5


def main() -> int:
    """Prints resident bytes after some requests and after all, and how a step's time is to a new model's."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        tiny.write(Path(folder), tiny.CLASSIC)
        session = _session(Path(folder))
        _spoken(session, range(EARLY))
        early = _resident_bytes()
        _spoken(session, range(EARLY, REQUESTS))
        late = _resident_bytes()
        fresh = _session(Path(folder))
    steps: dict[ChatterboxSession, list[float]] = {session: [], fresh: []}
    for turn in range(TURNS):
        for each, took in steps.items():
            took += _spoken(each, range(REQUESTS + turn * AT_ONCE, REQUESTS + (turn + 1) * AT_ONCE))
    figures = {
        "requests": [EARLY, REQUESTS],
        "resident_mb": [round(size / 1e6, 1) for size in (early, late)],
        "resident_growth": round(late / early, 3),
        "step_time_ratio": round(median(steps[session]) / median(steps[fresh]), 3),
    }
    sys.stdout.write(json.dumps(figures))
    return 0


def _session(folder: Path) -> ChatterboxSession:
    return ChatterboxEngine.load(tiny.CLASSIC, folder, max_batch=AT_ONCE).open_session()


def _spoken(session: ChatterboxSession, seeds: range) -> list[float]:
    """The CPU time of each step, in seconds."""
    took: list[float] = []
    for first in range(seeds.start, seeds.stop, AT_ONCE):
        left = {session.join(utterance(seed=first + number)) for number in range(AT_ONCE)}
        while left:
            started_at = time.thread_time()
            outcomes = session.step()
            took.append(time.thread_time() - started_at)
            left -= {slot for slot, outcome in outcomes if isinstance(outcome, Done)}
    return took


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    sys.exit(main())
