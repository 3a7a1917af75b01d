"""The price of a request in the speech process, against a worker that answers at once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from bench import instant_worker
from bench.figures import cpu_seconds, median
from bench.generator import LoadGenerator
from bench.load import Target
from bench.report import table
from bench.stage import PLATFORM, Running, Stage

MODEL = instant_worker.MODEL
TEXT = "Hello, and thank you for calling. How can I help you today?"
CLIENTS = (1, 8)
MODES = ("streamed", "whole")
_ROUNDS = 5
_WARM_UP = 50
# The row is settled after the last byte, by a group commit: that is part of the price.
_SETTLE_SECONDS = 0.05
_IDLE_SECONDS = 2.0


@dataclass(frozen=True)
class Servers:
    """Whom the bench asks; `others` are compared with the platform, under the same server."""

    platform: Running
    others: list[Running]

    @classmethod
    def start(cls, stage: Stage, instant: Running, asgi_loop: str, against: Path | None) -> Servers:
        upstream = {"UPSTREAM_URL": instant.url}
        platform = stage.serve("platform", PLATFORM, asgi_loop=asgi_loop)
        others = [
            stage.serve("empty_view", "bench.baselines.empty_view:application", asgi_loop=asgi_loop),
            stage.serve(
                "pass_through",
                "bench.baselines.pass_through:application",
                asgi_loop=asgi_loop,
                environ=upstream,
            ),
            instant,
        ]
        if against is not None:
            others.insert(
                0, stage.serve("against", PLATFORM, asgi_loop=asgi_loop, checkout=against.resolve())
            )
        return cls(platform, others)

    @property
    def all(self) -> list[Running]:
        return [self.platform, *self.others]

    def wait_until_up(
        self, stage: Stage, generator: LoadGenerator, key: str, *, models: tuple[str, ...]
    ) -> None:
        for server in self.all:
            for model in models:
                target = _target(server, key, "whole", model=model)
                stage.wait_until(server.name, lambda: generator.answers(target))  # noqa: B023 - called at once


@dataclass
class Cell:
    """One server at so many clients, summed over all rounds."""

    requests: int = 0
    cpu_seconds: float = 0.0
    elapsed_seconds: float = 0.0
    totals_ms: list[float] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        """CPU time of the process for each request."""
        return self.cpu_seconds * 1000 / self.requests

    def figures(self) -> dict[str, float]:
        return {
            "cpu_ms": round(self.cpu_ms, 3),
            "total_p50_ms": round(median(self.totals_ms), 3),
            "requests_per_second": round(self.requests / self.elapsed_seconds, 1),
        }


@dataclass
class Cost:
    """Cells by mode, clients and server; and what the speech process uses while nothing is asked of it."""

    cells: dict[tuple[str, int], dict[str, Cell]]
    idle_cpu_ms_per_second: float

    @property
    def worst_cpu_ms(self) -> float:
        return max(cells["platform"].cpu_ms for cells in self.cells.values())

    def figures(self) -> dict[str, object]:
        by_mode: dict[str, object] = {}
        for mode in MODES:
            by_mode[mode] = {
                f"clients_{clients}": {
                    **{name: cell.figures() for name, cell in self.cells[mode, clients].items()},
                    "cpu_ratios": _ratios(self.cells[mode, clients]),
                }
                for clients in CLIENTS
            }
        return {
            **by_mode,
            "worst_cpu_ms_per_request": round(self.worst_cpu_ms, 3),
            "idle_cpu_ms_per_second": round(self.idle_cpu_ms_per_second, 2),
            "added_p50_ms": self._added_p50_ms(),
        }

    def _added_p50_ms(self) -> dict[str, float]:
        """Time that each server adds to the worker's own, for one client."""
        cells = self.cells["streamed", 1]
        alone = median(cells["instant"].totals_ms)
        return {
            name: round(median(cell.totals_ms) - alone, 3)
            for name, cell in cells.items()
            if name != "instant"
        }


def measure(generator: LoadGenerator, servers: Servers, key: str, *, requests: int) -> Cost:
    """Rounds by turns: each server gets its share of `requests` in every one."""
    for server in servers.all:
        generator.play(_target(server, key, "streamed"), clients=max(CLIENTS), requests=_WARM_UP)
    cells = {
        (mode, clients): _cells(generator, servers, key, mode, clients, requests)
        for mode in MODES
        for clients in CLIENTS
    }
    return Cost(cells, _idle_cpu_ms_per_second(servers.platform))


def print_tables(cost: Cost) -> None:
    names = list(next(iter(cost.cells.values())))
    head = ("answer, clients", *names, "of Django", "of pass-through")
    rows = [
        (
            f"{mode}, {clients}",
            *(cell.cpu_ms for cell in cells.values()),
            f"{_ratios(cells)['platform_to_empty_view']:.1f}×",
            f"{_ratios(cells)['platform_to_pass_through']:.1f}×",
        )
        for (mode, clients), cells in cost.cells.items()
    ]
    table("CPU time of the process for each request, ms", head, rows)
    for name, key in (("Total time p50, ms", "total_p50_ms"), ("Requests a second", "requests_per_second")):
        table(
            name,
            head[: len(names) + 1],
            [
                (f"{mode}, {clients}", *(cell.figures()[key] for cell in cells.values()))
                for (mode, clients), cells in cost.cells.items()
            ],
        )


def _cells(
    generator: LoadGenerator, servers: Servers, key: str, mode: str, clients: int, requests: int
) -> dict[str, Cell]:
    cells = {server.name: Cell() for server in servers.all}
    share = max(clients, requests // _ROUNDS)
    for number in range(_ROUNDS):
        order = servers.all if number % 2 == 0 else servers.all[::-1]
        for server in order:
            _play(generator, server, _target(server, key, mode), clients, share, cells[server.name])
    return cells


def _play(
    generator: LoadGenerator, server: Running, target: Target, clients: int, requests: int, cell: Cell
) -> None:
    before = cpu_seconds(server.pid)
    result = generator.play(target, clients=clients, requests=requests)
    time.sleep(_SETTLE_SECONDS)
    cell.cpu_seconds += cpu_seconds(server.pid) - before
    cell.requests += len(result.samples)
    cell.elapsed_seconds += result.elapsed_seconds
    cell.totals_ms += [sample.total_ms for sample in result.samples]


def _target(server: Running, key: str, mode: str, *, model: str = MODEL) -> Target:
    body: dict[str, object] = {"text": TEXT, "model": model, "stream": mode == "streamed"}
    return Target(f"{server.url}/generate", body, {"X-API-Key": key})


def _ratios(cells: dict[str, Cell]) -> dict[str, float]:
    ours = cells["platform"].cpu_ms
    names = [name for name in cells if name not in ("platform", "instant")]
    return {f"platform_to_{name}": round(ours / cells[name].cpu_ms, 2) for name in names}


def _idle_cpu_ms_per_second(server: Running) -> float:
    before, started = cpu_seconds(server.pid), time.monotonic()
    time.sleep(_IDLE_SECONDS)
    return (cpu_seconds(server.pid) - before) * 1000 / (time.monotonic() - started)
