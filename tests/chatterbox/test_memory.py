"""Requests leave nothing behind: not in the batch, not in memory, nothing that would slow a step."""

from __future__ import annotations

import gc
from pathlib import Path

import torch

from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from tests.chatterbox import tiny
from tests.chatterbox.speaking import Listener, utterance

REQUESTS = 300
AT_ONCE = 4


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def tensors() -> int:
    """Those that are alive."""
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


def test_three_hundred_requests_leave_everything_as_it_was(engines: dict[str, ChatterboxEngine]) -> None:
    """A step's time is that of the tensors that it works on: `make bench-chatterbox` measures it."""
    listener = Listener(engines[tiny.CLASSIC], AT_ONCE)
    session = listener.session
    lanes = session._batch._cache
    seen = []
    for number in range(0, REQUESTS, AT_ONCE):
        slots = [listener.join(utterance("Oh!", seed=number + place)) for place in range(AT_ONCE)]
        listener.finish()
        for slot in slots:
            assert listener.heard.pop(slot).is_done
        assert (len(session._speeches), lanes.count) == (0, 0)
        if number in (20 - AT_ONCE, REQUESTS - AT_ONCE):
            seen.append((tensors(), lanes.keys[0].shape, resident_bytes()))
    after_twenty, after_all = seen
    assert after_all[:2] == after_twenty[:2]
    assert after_all[2] < 1.05 * after_twenty[2]
