"""`python -m bench.engine`: the CPU engine without a worker around it, in a process of its own: the mark.

Reads one `Call` a line from standard input, as JSON, and answers each with one line, its `Spoken`. Ends with
its standard input.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hibari import Hibari

_WARM_UP = 5


@dataclass(frozen=True)
class Call:
    """`threads` speak the text one time after another without a pause, together `times` times."""

    text: str
    threads: int = 1
    times: int = 1


@dataclass(frozen=True)
class Spoken:
    """`first_audio_ms` is until the first sentence was there, one figure a time; CPU time is all threads'."""

    elapsed_seconds: float
    cpu_seconds: float
    first_audio_ms: list[float]


def speak(voice: Hibari, call: Call) -> Spoken:
    """Plays a call to its end."""
    turns = iter(range(call.times))
    lock = threading.Lock()
    first_audio_ms: list[float] = []

    def work() -> None:
        while True:
            with lock:
                if next(turns, None) is None:
                    return
            started = time.perf_counter()
            first_ms = 0.0
            for _ in voice.stream(call.text):
                first_ms = first_ms or (time.perf_counter() - started) * 1000
            with lock:
                first_audio_ms.append(first_ms)

    threads = [threading.Thread(target=work) for _ in range(call.threads)]
    cpu_started, started = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Spoken(
        elapsed_seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
        first_audio_ms=first_audio_ms,
    )


def main() -> None:
    # As the worker has it: each engine thread does its own arithmetic. Libraries read it as they load.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # onnxruntime reports to its maker otherwise, from its import on.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    from hibari import Hibari

    voice = Hibari(threads=1)
    speak(voice, Call("Ready. The quick brown fox jumps over the lazy dog.", times=_WARM_UP))
    for line in sys.stdin:
        print(json.dumps(asdict(speak(voice, Call(**json.loads(line))))), flush=True)


if __name__ == "__main__":
    main()
