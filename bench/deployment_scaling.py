"""What more replicas give: requests a second with one and with three, and how long the step takes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from bench.figures import rounded
from bench.generator import LoadGenerator
from bench.load import Target
from bench.management import Management
from bench.report import table

DELAY_SECONDS = 2
REPLICAS = 3
# Enough that one always waits for each replica.
_CLIENTS = 2 * REPLICAS
# Four seconds of tone, made in a tenth of that.
_TEXT = "This takes four seconds to say, and no less. So it goes on."
_SCALING_SECONDS = 30.0
# A worker that speaks one at a time, at a pace that no other work of the machine changes.
PACE = {"THREADS": "1", "TONE_REAL_TIME_FACTOR": "0.1"}


@dataclass(frozen=True)
class Scaled:
    """`after_delay_seconds` is from the end of the delay of scaling up to the last replica's being ready."""

    clients: int
    requests_per_second_1_replica: float
    requests_per_second_3_replicas: float
    ratio: float
    delay_seconds: int
    after_delay_seconds: float

    def figures(self) -> dict[str, object]:
        return rounded(asdict(self))


def measure(generator: LoadGenerator, api: Management, tone: str, *, seconds: float) -> Scaled:
    """Has `tone` started with one replica, then lets it have three while it is asked all the time."""
    api.step(tone, "start")
    api.until_state(tone, "ready")
    target = Target(f"{api.url}/generate", {"text": _TEXT, "model": "tone"}, {"X-API-Key": api.key})
    generator.play(target, clients=1, requests=2)
    alone = generator.play(target, clients=_CLIENTS, seconds=seconds).requests_per_second
    with ThreadPoolExecutor(1) as beside:
        load = beside.submit(generator.play, target, clients=_CLIENTS, seconds=_SCALING_SECONDS)
        time.sleep(1)  # until the clients are all at it
        began = time.perf_counter()
        api.change(tone, max_replicas=REPLICAS)
        api.until_ready(tone, REPLICAS)
        took = time.perf_counter() - began
        load.result()
    together = generator.play(target, clients=_CLIENTS, seconds=seconds).requests_per_second
    return Scaled(_CLIENTS, alone, together, together / alone, DELAY_SECONDS, took - DELAY_SECONDS)


def print_tables(scaled: Scaled) -> None:
    table(
        f"Scaling under {scaled.clients} clients",
        ("", "requests/s"),
        [
            ("1 replica", scaled.requests_per_second_1_replica),
            (f"{REPLICAS} replicas", scaled.requests_per_second_3_replicas),
            ("ratio", scaled.ratio),
        ],
    )
    print(
        f"  {REPLICAS} were ready {scaled.after_delay_seconds:.1f} s after the delay of "
        f"{scaled.delay_seconds} s was over"
    )
