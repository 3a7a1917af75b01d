"""How long a deployment takes from a click to ready, and from a wake to the first byte of speech."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import BenchError
from bench.figures import median, rounded
from bench.generator import LoadGenerator
from bench.load import Target
from bench.management import Management
from bench.report import table

MODEL = "hibari"
TEXT = "Hello, and thank you for calling. How can I help you today?"
MAX_READY_SECONDS = 10.0
MAX_WAKE_SECONDS = 8.0
_WAIT_SECONDS = 30


@dataclass(frozen=True)
class Starts:
    """In seconds, one for each round."""

    ready: Sequence[float]
    wake: Sequence[float]

    def figures(self) -> dict[str, object]:
        return {
            "click_to_ready": _summary(self.ready),
            "wake_to_first_byte": _summary(self.wake),
        }


def measure(generator: LoadGenerator, api: Management, *, rounds: int) -> Starts:
    """`rounds` deployments one after another, then one that sleeps and is woken as often."""
    ready = []
    for number in range(rounds):
        seconds, one = _click(api, f"click-{number}")
        ready.append(seconds)
        api.delete(one)
    _, one = _click(api, "sleeper")
    target = Target(
        f"{api.url}/generate",
        {"text": TEXT, "stream": True, "model": MODEL},
        {"X-API-Key": api.key, "Prefer": f"wait={_WAIT_SECONDS}"},
    )
    wake = [_wake(generator, api, one, target) for _ in range(rounds)]
    api.delete(one)
    return Starts(ready, wake)


def _click(api: Management, name: str) -> tuple[float, str]:
    began = time.perf_counter()
    one = api.create(name=name, engine="cpu", kind="serverless")
    api.until_state(one, "ready")
    return time.perf_counter() - began, one


def _wake(generator: LoadGenerator, api: Management, one: str, target: Target) -> float:
    api.step(one, "sleep")
    api.until_at_nothing(one)
    [sample] = generator.play(target, requests=1).samples
    if sample.first_audio_ms is None:
        raise BenchError("What was woken said nothing.")
    api.until_state(one, "ready")
    return sample.first_audio_ms / 1000


def _summary(seconds: Sequence[float]) -> dict[str, object]:
    return rounded({"median_seconds": median(seconds), "worst_seconds": max(seconds), "rounds": len(seconds)})


def print_tables(starts: Starts) -> None:
    rows = [
        ("click to ready", median(starts.ready), max(starts.ready), MAX_READY_SECONDS),
        ("asleep to first byte", median(starts.wake), max(starts.wake), MAX_WAKE_SECONDS),
    ]
    title = f"Starts on this machine, {len(starts.ready)} rounds each, in seconds"
    table(title, ("", "median", "worst", "asked: below"), rows)
