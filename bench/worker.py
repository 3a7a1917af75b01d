"""`python -m bench.worker`: the speech worker alone, asked for framed streams as the platform asks.

Prints first audio, real-time factor and queue wait with one, two and four clients, and the worker's memory
before and after many requests. The last line is JSON; the exit status is 0 whatever the figures say.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from bench.errors import BenchError
from bench.facts import facts
from bench.figures import median, memory_mb, percentile, rounded
from bench.generator import LoadGenerator
from bench.load import Result, Target
from bench.report import last_line, say, table
from bench.speech import MODEL, TEXT
from bench.stage import CHECKOUT, Running, on_stage
from gpu_worker.protocol import STREAM_MEDIA_TYPE, TOKEN_HEADER

CLIENTS = (1, 2, 4)
# Room for what an allocator keeps; a leak of one answer a request would be ten times that.
MAX_GROWTH_MB = 10.0
_MEMORY_CLIENTS = 4
_WARM_UP = 20


@dataclass(frozen=True)
class Load:
    """So many clients at once. The real-time factor is engine time by audio time, of the median request.

    `audio_seconds_per_second` is what the worker as a whole makes; a queue wait is from a request's arrival
    to the engine's first work on it.
    """

    clients: int
    first_audio_p50_ms: float
    first_audio_p95_ms: float
    real_time_factor: float
    audio_seconds_per_second: float
    queue_wait_p50_ms: float
    queue_wait_p95_ms: float
    requests_per_second: float


@dataclass(frozen=True)
class Memory:
    """What of the worker lies in memory, in MB, around so many requests."""

    requests: int
    before_mb: float
    after_mb: float

    @property
    def grown_mb(self) -> float:
        return self.after_mb - self.before_mb


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    about = facts(CHECKOUT)
    try:
        loads, memory = _measured(options)
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        say("bench: stopped")
        return 130
    _print_tables(loads, memory)
    figures = {
        "text_characters": len(TEXT),
        "loads": [rounded(asdict(load)) for load in loads],
        "memory": rounded({**asdict(memory), "grown_mb": memory.grown_mb}),
        "verdicts": {"memory_steady": memory.grown_mb <= MAX_GROWTH_MB},
    }
    last_line({"bench": "worker", **about, **figures})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.worker", description="Speed of the worker alone.")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each number of clients (6)")
    parser.add_argument("--requests", type=int, default=200, help="between the looks at its memory (200)")
    parser.add_argument("--threads", type=int, help="engine threads (as many as cores)")
    return parser


def _measured(options: argparse.Namespace) -> tuple[list[Load], Memory]:
    with ExitStack() as stack:
        stage = stack.enter_context(on_stage())
        generator = stack.enter_context(LoadGenerator(CHECKOUT))
        say("Starting the worker")
        worker = stage.start_cpu_worker(threads=options.threads)
        target = _target(worker)
        stage.wait_until(worker.name, lambda: generator.answers(target))
        generator.play(target, clients=_MEMORY_CLIENTS, requests=_WARM_UP)
        loads = []
        for clients in CLIENTS:
            say(f"Asking with {clients} at once")
            loads.append(_load(clients, generator.play(target, clients=clients, seconds=options.seconds)))
        say(f"Asking {options.requests} times, to see its memory")
        before_mb = memory_mb(worker.pid)
        generator.play(target, clients=_MEMORY_CLIENTS, requests=options.requests)
        return loads, Memory(options.requests, before_mb, memory_mb(worker.pid))


def _target(worker: Running) -> Target:
    headers = {TOKEN_HEADER: worker.token, "Accept": STREAM_MEDIA_TYPE}
    body: dict[str, object] = {"text": TEXT, "stream": True, "model": MODEL, "format": "pcm"}
    return Target(f"{worker.url}/generate", body, headers)


def _load(clients: int, result: Result) -> Load:
    first_audio = [sample.first_audio_ms for sample in result.samples if sample.first_audio_ms is not None]
    waits = [sample.queue_ms for sample in result.samples]
    audio_seconds = sum(sample.audio_ms for sample in result.samples) / 1000
    return Load(
        clients=clients,
        first_audio_p50_ms=median(first_audio),
        first_audio_p95_ms=percentile(first_audio, 95),
        real_time_factor=median([sample.engine_ms / sample.audio_ms for sample in result.samples]),
        audio_seconds_per_second=audio_seconds / result.elapsed_seconds,
        queue_wait_p50_ms=median(waits),
        queue_wait_p95_ms=percentile(waits, 95),
        requests_per_second=result.requests_per_second,
    )


def _print_tables(loads: Sequence[Load], memory: Memory) -> None:
    head = (
        *("clients", "first audio p50", "p95", "real-time factor", "audio s/s"),
        *("queue wait p50", "p95", "requests/s"),
    )
    table("Two sentences, framed; times in ms", head, [tuple(asdict(load).values()) for load in loads])
    row = (memory.requests, memory.before_mb, memory.after_mb, memory.grown_mb)
    table("Memory of the worker, MB", ("requests", "before", "after", "grown"), [row])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
