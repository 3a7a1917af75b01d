"""A file of unknown origin to samples, by a child process that a hostile one cannot leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apps.contributions.quality.child import MAX_SECONDS, SAMPLE_RATE, Refused
from apps.contributions.quality.refusals import MAX_BYTES

Samples = NDArray[np.float32]

# The child ends by its own CPU time first (15 s): what is not done by then waited for a busy machine.
_WALL_SECONDS: Final = 60.0
_CHECKOUT: Final = Path(__file__).parents[3]


class DecodingTimedOut(Exception):
    """The machine was too busy to decode the clip in time: worth another try."""


def decode(data: bytes) -> Samples:
    """48 kHz mono in ±1. Blocks for 0.2 s of CPU time and more.

    Raises `Refused` with a code of `refusals.WORDS` for what is no clip, `DecodingTimedOut`.
    """
    if not data:
        raise Refused("empty")
    if len(data) > MAX_BYTES:
        raise Refused("too_large")
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        head, _, pcm = _answer_of_child(file.fileno(), len(data)).partition(b"\n")
    if not pcm:
        # Nothing is written by a child that a limit has ended.
        raise Refused(str(json.loads(head)["code"]) if head else "too_much_work")
    return (np.frombuffer(pcm, "<i2") / np.float32(32768)).astype(np.float32)


def _answer_of_child(file: int, length: int) -> bytes:
    child = subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", "apps.contributions.quality.child", str(os.getpid()), str(length)],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        # Nothing of this process's environment, for it holds secrets.
        env={"PYTHONPATH": str(_CHECKOUT), "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        # The child writes MAX_SECONDS at most, so this is bounded: 6 MB.
        answer, _ = child.communicate(timeout=_WALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise DecodingTimedOut(f"A clip was not decoded within {_WALL_SECONDS:g} s.") from None
    finally:
        child.kill()
        child.wait()
    return answer if child.returncode == 0 else b""


__all__ = ["MAX_SECONDS", "SAMPLE_RATE", "DecodingTimedOut", "Refused", "Samples", "decode"]
