"""Many clients that stream at once from a worker whose engine costs nothing: the cost of the worker."""

from __future__ import annotations

import threading
import time
import urllib.request
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from bench.figures import cpu_seconds
from bench.generator import LoadGenerator
from bench.load import Target
from bench.report import table
from bench.stage import Running
from gpu_worker.protocol import STREAM_MEDIA_TYPE, TOKEN_HEADER

CLIENTS = 200
MAX_LAG_SECONDS = 0.05
_TEXT = "These words are spoken as a tone, at the pace of a voice. " * 2
_SAMPLE_SECONDS = 0.02
_LAG = "tts_event_loop_lag_seconds"
_BUSY = "tts_event_loop_busy_seconds"


@dataclass(frozen=True)
class Streaming:
    """`blocked` counts samples of the worker's event loop that its own work made more than 50 ms late, `late`
    all that were: on a busy machine a loop waits for a core, too. `machine_late` are those of a thread that
    does nothing else on the same machine meanwhile.
    """

    clients: int
    requests: int
    errors: int
    stream_seconds: float
    stream_seconds_per_second: float
    cpu_ms_per_stream_second: float
    loop_samples: int
    blocked: int
    late: int
    machine_late: int
    lag_p99_at_most_ms: float


def measure(generator: LoadGenerator, worker: Running, *, requests_each: int) -> Streaming:
    """Every client streams so many times, one after another."""
    headers = {TOKEN_HEADER: worker.token, "Accept": STREAM_MEDIA_TYPE}
    target = Target(f"{worker.url}/generate", {"text": _TEXT, "format": "pcm"}, headers)
    generator.play(target, clients=4, requests=8)
    busy, lag, cpu = _late_by(worker, _BUSY), _late_by(worker, _LAG), cpu_seconds(worker.pid)
    with _Control() as control:
        result = generator.attempt(target, clients=CLIENTS, requests=CLIENTS * requests_each)
    busy = {bound: count - busy[bound] for bound, count in _late_by(worker, _BUSY).items()}
    lag = {bound: count - lag[bound] for bound, count in _late_by(worker, _LAG).items()}
    seconds = sum(sample.audio_ms for sample in result.samples) / 1000
    total = lag[float("inf")]
    return Streaming(
        clients=CLIENTS,
        requests=len(result.samples),
        errors=sum(bool(sample.problem) for sample in result.samples),
        stream_seconds=seconds,
        stream_seconds_per_second=seconds / result.elapsed_seconds,
        cpu_ms_per_stream_second=1000 * (cpu_seconds(worker.pid) - cpu) / seconds if seconds else 0.0,
        loop_samples=total,
        blocked=busy[float("inf")] - busy[MAX_LAG_SECONDS],
        late=total - lag[MAX_LAG_SECONDS],
        machine_late=control.late,
        lag_p99_at_most_ms=1000 * min(bound for bound, count in lag.items() if count >= 0.99 * total),
    )


def print_table(streaming: Streaming) -> None:
    head = ("clients", "requests", "errors", "stream s", "per s", "CPU ms per stream s")
    head += ("loop samples", "blocked 50 ms", "late 50 ms", "machine's own", "lag p99 at most, ms")
    table("Streaming from the tone engine", head, [tuple(vars(streaming).values())])


class _Control:
    """How often a thread that only sleeps is woken late."""

    def __init__(self) -> None:
        self.late = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            due_at = time.monotonic() + _SAMPLE_SECONDS
            time.sleep(_SAMPLE_SECONDS)
            self.late += time.monotonic() - due_at > MAX_LAG_SECONDS


def _late_by(worker: Running, name: str) -> dict[float, int]:
    """Samples of the event loop so far, by the bound that they are at most."""
    asked = urllib.request.Request(f"{worker.url}/metrics", headers={TOKEN_HEADER: worker.token})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - loopback
        families = text_string_to_metric_families(answer.read().decode())
    return {
        float(sample.labels["le"]): int(sample.value)
        for family in families
        if family.name == name
        for sample in family.samples
        if "le" in sample.labels
    }
