"""The CPU worker against its engine called directly, by turns, so that noise hits both alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.child import Child
from bench.engine import Call, Spoken
from bench.figures import cpu_seconds, median, percentile
from bench.generator import LoadGenerator
from bench.load import Result, Target
from bench.report import table
from bench.stage import Running
from gpu_worker.protocol import STREAM_MEDIA_TYPE, TOKEN_HEADER

CLIENTS = (1, 4, 16)
TWO_SENTENCES = "Hello, and thank you for calling. How can I help you today?"
PASSAGE = (
    "The harbour lay quiet in the early light, and only the gulls were awake. A small boat came in past the "
    "breakwater, heavy with the catch of the night. Two men stood at its bow and looked towards the houses, "
    "where the first windows were opened. Nobody spoke, for there was nothing to be said. When the ropes "
    "were made fast, the younger of them laughed, took his jacket, and walked up the hill without a word."
)
MAX_OUTSIDE = 0.15
MAX_ADDED_FIRST_AUDIO_MS = 25.0
_ROUNDS = 3


@dataclass(frozen=True)
class Load:
    """So many clients at once. The real-time factor is engine time by audio time, of the median request.

    `engine_requests_per_second` is how often as many threads as can have work speak the text when they call
    the engine. `outside_engine` is the share of the worker's CPU time that the
    engine alone would not have taken for the same texts; a queue wait is from a request's arrival to the
    engine's first work on it.
    """

    clients: int
    first_audio_p50_ms: float
    first_audio_p95_ms: float
    real_time_factor: float
    audio_seconds_per_second: float
    requests_per_second: float
    engine_requests_per_second: float
    queue_wait_p50_ms: float
    queue_wait_p95_ms: float
    outside_engine: float


@dataclass(frozen=True)
class FirstAudio:
    """Of two sentences, of one client, in pairs of a request and a direct call."""

    pairs: int
    worker_p50_ms: float
    worker_p95_ms: float
    engine_p50_ms: float
    added_p50_ms: float


def target(worker: Running, text: str) -> Target:
    """A framed stream, as the platform asks for it."""
    headers = {TOKEN_HEADER: worker.token, "Accept": STREAM_MEDIA_TYPE}
    return Target(f"{worker.url}/generate", {"text": text, "format": "pcm"}, headers)


def measure_first_audio(
    generator: LoadGenerator, engine: Child, worker: Running, *, pairs: int
) -> FirstAudio:
    """Alternates, and takes the median of the differences."""
    through, direct = [], []
    for _ in range(pairs):
        through += first_audio(generator.play(target(worker, TWO_SENTENCES), requests=1))
        direct += _call(engine, Call(TWO_SENTENCES)).first_audio_ms
    added = [one - other for one, other in zip(through, direct, strict=True)]
    return FirstAudio(pairs, median(through), percentile(through, 95), median(direct), median(added))


def measure_load(
    generator: LoadGenerator,
    engine: Child,
    worker: Running,
    text: str,
    *,
    clients: int,
    threads: int,
    seconds: float,
) -> Load:
    """Rounds of the worker and of the engine by turns; as many engine threads as can have work."""
    threads = min(clients, threads)
    rounds: list[Result] = []
    calls: list[Spoken] = []
    worker_cpu = 0.0
    for _ in range(_ROUNDS):
        cpu = cpu_seconds(worker.pid)
        rounds.append(generator.play(target(worker, text), clients=clients, seconds=seconds / _ROUNDS))
        worker_cpu += cpu_seconds(worker.pid) - cpu
        calls.append(_call(engine, Call(text, threads, max(threads, len(rounds[-1].samples)))))
    samples = [sample for result in rounds for sample in result.samples]
    elapsed = sum(result.elapsed_seconds for result in rounds)
    engine_cpu = sum(call.cpu_seconds for call in calls) / sum(len(call.first_audio_ms) for call in calls)
    heard = [value for result in rounds for value in first_audio(result)]
    waits = [sample.queue_ms for sample in samples]
    return Load(
        clients=clients,
        first_audio_p50_ms=median(heard),
        first_audio_p95_ms=percentile(heard, 95),
        real_time_factor=median([sample.engine_ms / sample.audio_ms for sample in samples]),
        audio_seconds_per_second=sum(sample.audio_ms for sample in samples) / 1000 / elapsed,
        requests_per_second=len(samples) / elapsed,
        engine_requests_per_second=_rate(calls),
        queue_wait_p50_ms=median(waits),
        queue_wait_p95_ms=percentile(waits, 95),
        outside_engine=1 - engine_cpu / (worker_cpu / len(samples)),
    )


def print_tables(first: FirstAudio, loads: dict[str, Sequence[Load]]) -> None:
    head = ("pairs", "worker p50", "p95", "engine p50", "added p50")
    table("First audio of two sentences, ms", head, [tuple(asdict(first).values())])
    head = (
        *("clients", "first audio p50", "p95", "real-time factor", "audio s/s", "requests/s", "engine alone"),
        *("queue wait p50", "p95", "outside the engine"),
    )
    for name, rows in loads.items():
        cells = [tuple(asdict(load).values()) for load in rows]
        table(f"{name.replace('_', ' ').capitalize()}, framed; times in ms", head, cells)


def first_audio(result: Result) -> list[float]:
    return [sample.first_audio_ms for sample in result.samples if sample.first_audio_ms is not None]


def _call(engine: Child, call: Call) -> Spoken:
    return Spoken(**engine.exchange(asdict(call)))


def _rate(calls: Sequence[Spoken]) -> float:
    return sum(len(call.first_audio_ms) for call in calls) / sum(call.elapsed_seconds for call in calls)
