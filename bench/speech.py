"""The CPU worker asked directly and through the platform, by turns, so that noise hits both alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bench.figures import median, percentile, rounded
from bench.generator import LoadGenerator
from bench.load import Result, Target
from bench.report import table
from bench.stage import Running
from gpu_worker.protocol import TOKEN_HEADER

MODEL = "hibari"
TEXT = "Hello, and thank you for calling. How can I help you today?"
MANY_CLIENTS = 4
_WARM_UP = 5
_ROUNDS = 3


@dataclass(frozen=True)
class Way:
    """One way to the worker: one client for the times, one and four for the throughput."""

    first_audio_p50_ms: float
    first_audio_p95_ms: float
    total_p50_ms: float
    requests_per_second_1_client: float
    requests_per_second_4_clients: float


@dataclass(frozen=True)
class Speech:
    direct: Way
    platform: Way
    pairs: int
    added_first_audio_p50_ms: float

    def figures(self) -> dict[str, object]:
        return {"text_characters": len(TEXT), **rounded(asdict(self))}


def measure(
    generator: LoadGenerator, worker: Running, server: Running, key: str, *, pairs: int, seconds: float
) -> Speech:
    """`pairs` pairs of single requests, then rounds of four clients, each way by turns."""
    body: dict[str, object] = {"text": TEXT, "stream": True, "model": MODEL}
    ways = [
        Target(f"{worker.url}/generate", body, {TOKEN_HEADER: worker.token}),
        Target(f"{server.url}/generate", body, {"X-API-Key": key}),
    ]
    for way in ways:
        generator.play(way, clients=MANY_CLIENTS, requests=_WARM_UP)
    alone: list[list[Result]] = [[], []]
    for pair in range(pairs):
        for at in _by_turns(pair):
            alone[at].append(generator.play(ways[at], requests=1))
    together: list[list[Result]] = [[], []]
    for number in range(_ROUNDS):
        for at in _by_turns(number):
            together[at].append(generator.play(ways[at], clients=MANY_CLIENTS, seconds=seconds))
    direct, platform = (_way(a, t) for a, t in zip(alone, together, strict=True))
    differences = [
        _first_audio(through)[0] - _first_audio(straight)[0] for straight, through in zip(*alone, strict=True)
    ]
    return Speech(direct, platform, pairs, median(differences))


def print_tables(speech: Speech) -> None:
    rows = [
        (name, *asdict(way).values())
        for name, way in (("direct", speech.direct), ("platform", speech.platform))
    ]
    head = (
        "worker asked",
        "first audio p50",
        "p95",
        "total p50",
        "requests/s",
        f"with {MANY_CLIENTS} clients",
    )
    table(f"Two sentences, streamed, ms; {speech.pairs} pairs", head, rows)


def _by_turns(number: int) -> tuple[int, int]:
    """Who goes first changes, so that neither always comes after the other."""
    return (0, 1) if number % 2 == 0 else (1, 0)


def _way(alone: list[Result], together: list[Result]) -> Way:
    first_audio = [value for result in alone for value in _first_audio(result)]
    totals = [sample.total_ms for result in alone for sample in result.samples]
    return Way(
        first_audio_p50_ms=median(first_audio),
        first_audio_p95_ms=percentile(first_audio, 95),
        total_p50_ms=median(totals),
        requests_per_second_1_client=_rate(alone),
        requests_per_second_4_clients=_rate(together),
    )


def _first_audio(result: Result) -> list[float]:
    return [sample.first_audio_ms for sample in result.samples if sample.first_audio_ms is not None]


def _rate(results: list[Result]) -> float:
    return sum(len(r.samples) for r in results) / sum(r.elapsed_seconds for r in results)
