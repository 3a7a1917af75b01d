"""Many streams open at once through one process, whose starts are spread: none fails, all begin soon."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bench import instant_worker
from bench.doors import native
from bench.figures import cpu_seconds, memory_mb, percentile, rounded
from bench.generator import LoadGenerator
from bench.report import table
from bench.stage import Running

STREAMS = 300
SPREAD_SECONDS = 10.0
POOL = 5
MAX_FIRST_BYTE_MS = 500.0


@dataclass(frozen=True)
class OpenStreams:
    """Each lasts about 12 s, so that with the last one all are open; CPU is that of the process."""

    streams: int
    failed: int
    database_pool: int
    first_byte_p50_ms: float
    first_byte_p95_ms: float
    first_byte_max_ms: float
    cpu_ms_per_stream_second: float
    memory_mb: float

    def figures(self) -> dict[str, object]:
        return rounded(asdict(self))

    @property
    def holds(self) -> bool:
        return self.failed == 0 and self.first_byte_p95_ms < MAX_FIRST_BYTE_MS


def measure(generator: LoadGenerator, server: Running, key: str, *, streams: int) -> OpenStreams:
    """`server` runs with `POOL` connections to its database."""
    generator.play(native(server, key), clients=4, requests=20)
    target = native(server, key, model=instant_worker.PACED_MODEL)
    before = cpu_seconds(server.pid)
    result = generator.attempt(target, clients=streams, requests=streams, spread_seconds=SPREAD_SECONDS)
    first = [sample.first_audio_ms for sample in result.samples if sample.first_audio_ms is not None]
    expected = instant_worker.PACED_FRAMES * instant_worker.PACED_SECONDS
    whole = round(expected * instant_worker.SAMPLE_RATE) * 2
    failed = [sample for sample in result.samples if sample.problem or sample.body_bytes < whole]
    return OpenStreams(
        streams=len(result.samples),
        failed=len(failed),
        database_pool=POOL,
        first_byte_p50_ms=percentile(first, 50),
        first_byte_p95_ms=percentile(first, 95),
        first_byte_max_ms=max(first),
        cpu_ms_per_stream_second=1000 * (cpu_seconds(server.pid) - before) / (expected * streams),
        memory_mb=memory_mb(server.pid),
    )


def print_table(found: OpenStreams) -> None:
    head = ("streams", "failed", "pool", "first byte p50", "p95", "max", "CPU ms per stream s", "MB")
    table("Open streams through one process, ms", head, [tuple(asdict(found).values())])
