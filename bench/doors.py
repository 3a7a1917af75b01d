"""What one request costs each gateway, and how much later it makes the answer, against the same worker."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench import instant_worker
from bench.figures import cpu_seconds, median, percentile
from bench.generator import LoadGenerator
from bench.load import Target
from bench.report import table
from bench.stage import PLATFORM, Running, Stage

TEXT = "Hello, and thank you for calling. How can I help you today?"
CLIENTS = (1, 8)
_ROUNDS = 6
_WARM_UP = 60
# The row is settled after the last byte, by a group commit: that is part of the price.
_SETTLE_SECONDS = 0.05
_LITELLM_KEY = "sk-bench"
_LITELLM_CONFIG = """\
model_list:
  - model_name: {model}
    litellm_params: {{model: openai/{model}, api_base: "{url}/v1", api_key: unused}}
general_settings: {{master_key: {key}}}
"""


@dataclass(frozen=True)
class Door:
    """A gateway and what it is asked; all answer with the same second of audio, streamed."""

    running: Running
    target: Target

    @property
    def name(self) -> str:
        return self.running.name


def open_doors(stage: Stage, instant: Running, key: str, *, asgi_loop: str) -> list[Door]:
    """Ours, lean and behind Django, a bare gateway, the worker itself, LiteLLM where it is installed."""
    lean = stage.serve("lean", PLATFORM, asgi_loop=asgi_loop)
    django = stage.serve("django", PLATFORM, asgi_loop=asgi_loop, environ={"SPEECH_LEAN_DOOR": "false"})
    bare = stage.serve(
        "bare",
        "bench.baselines.pass_through:application",
        asgi_loop=asgi_loop,
        environ={"UPSTREAM_URL": instant.url},
    )
    doors = [Door(running, native(running, key)) for running in (lean, django, bare, instant)]
    litellm = _litellm(stage, instant)
    return [*doors, litellm] if litellm else doors


def native(running: Running, key: str, **fields: object) -> Target:
    """`POST /generate`, which the worker answers as well."""
    body: dict[str, object] = {"text": TEXT, "model": instant_worker.MODEL, "stream": True, **fields}
    return Target(f"{running.url}/generate", body, {"X-API-Key": key})


def _litellm(stage: Stage, instant: Running) -> Door | None:
    """With a master key alone: neither its key database nor its spend log is switched on."""
    program = os.environ.get("LITELLM") or shutil.which("litellm")
    if program is None:
        return None
    config = _LITELLM_CONFIG.format(model=instant_worker.MODEL, url=instant.url, key=_LITELLM_KEY)
    environ = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "LITELLM_LOG": "ERROR"}
    running = stage.run_other("litellm", Path(program), ["--num_workers", "1"], config, environ)
    body: dict[str, object] = {
        "input": TEXT,
        "model": instant_worker.MODEL,
        "voice": instant_worker.VOICE,
        "response_format": "pcm",
    }
    headers = {"Authorization": f"Bearer {_LITELLM_KEY}"}
    return Door(running, Target(f"{running.url}/v1/audio/speech", body, headers))


@dataclass
class Cell:
    """One gateway at so many clients, summed over all rounds; CPU of each round apart."""

    requests: int = 0
    rounds_cpu_ms: list[float] = field(default_factory=list)
    totals_ms: list[float] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        """CPU time of the process for each request: the median of the rounds."""
        return median(self.rounds_cpu_ms)

    @property
    def p50_ms(self) -> float:
        return median(self.totals_ms)


Cost = Mapping[int, Mapping[str, Cell]]


def measure(generator: LoadGenerator, doors: list[Door], *, requests: int) -> Cost:
    """By number of clients and name. Rounds by turns, so that noise hits all alike."""
    for door in doors:
        generator.play(door.target, clients=max(CLIENTS), requests=_WARM_UP)
    cost = {clients: {door.name: Cell() for door in doors} for clients in CLIENTS}
    for clients in CLIENTS:
        for number in range(_ROUNDS):
            for door in doors if number % 2 == 0 else doors[::-1]:
                play(generator, door, clients, max(clients, requests // _ROUNDS), cost[clients][door.name])
    return cost


def play(generator: LoadGenerator, door: Door, clients: int, requests: int, cell: Cell) -> None:
    """One round, added to the cell."""
    before = cpu_seconds(door.running.pid)
    result = generator.play(door.target, clients=clients, requests=requests)
    time.sleep(_SETTLE_SECONDS)
    cell.rounds_cpu_ms.append((cpu_seconds(door.running.pid) - before) * 1000 / len(result.samples))
    cell.requests += len(result.samples)
    cell.totals_ms += [sample.total_ms for sample in result.samples]


def added_p50_ms(cost: Cost, name: str) -> float:
    """How much later one client has its answer than from the worker itself."""
    return cost[1][name].p50_ms - cost[1]["instant"].p50_ms


def figures(cost: Cost) -> dict[str, object]:
    return {
        f"clients_{clients}": {
            name: {
                "cpu_ms": round(cell.cpu_ms, 3),
                "p50_ms": round(cell.p50_ms, 3),
                "p95_ms": round(percentile(cell.totals_ms, 95), 3),
                "requests": cell.requests,
            }
            for name, cell in cells.items()
        }
        for clients, cells in cost.items()
    } | {"added_p50_ms": {name: round(added_p50_ms(cost, name), 3) for name in cost[1] if name != "instant"}}


def print_tables(cost: Cost) -> None:
    rows = [
        (name, *(cost[clients][name].cpu_ms for clients in CLIENTS), cost[1][name].p50_ms)
        for name in cost[CLIENTS[0]]
    ]
    head = ("gateway", *(f"CPU, {clients} clients" for clients in CLIENTS), "p50, 1 client")
    table("One streamed request, ms", head, rows)
