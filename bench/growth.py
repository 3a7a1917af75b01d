"""Whether a request costs more where there are many keys and many records: two databases asked by turns."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import psycopg

from bench.doors import Cell, Door, native, play
from bench.errors import BenchError
from bench.figures import cpu_seconds, median
from bench.generator import LoadGenerator
from bench.report import table
from bench.stage import CHECKOUT, PLATFORM, Stage

SMALL_KEYS, SMALL_RECORDS = 10, 1_000
MAX_GROWTH = 0.10
_ROUNDS = 12


@dataclass(frozen=True)
class Sizes:
    keys: int
    records: int


@dataclass(frozen=True)
class Growth:
    """`process` and `database` are CPU times in ms a request: of the speech process, and of the PostgreSQL
    backends that serve it. Ratios are medians of those of single rounds.
    """

    sizes: dict[str, Sizes]
    process: dict[str, float]
    database: dict[str, float]
    ratio: float
    process_ratio: float

    @property
    def holds(self) -> bool:
        return self.ratio <= 1 + MAX_GROWTH

    def figures(self) -> dict[str, object]:
        return {
            name: {
                "keys": size.keys,
                "records": size.records,
                "process_cpu_ms": round(self.process[name], 3),
                "database_cpu_ms": round(self.database[name], 3),
            }
            for name, size in self.sizes.items()
        } | {"ratio": round(self.ratio, 3), "process_ratio": round(self.process_ratio, 3)}


def measure(
    stage: Stage,
    generator: LoadGenerator,
    key: str,
    *,
    databases: dict[str, str],
    sizes: Sizes,
    requests: int,
    asgi_loop: str,
) -> Growth:
    """Fills the `databases` (URLs of `small` and `large`, copies of one) and has each asked by turns."""
    by_name = {"small": Sizes(SMALL_KEYS, SMALL_RECORDS), "large": sizes}
    places: dict[str, _Place] = {}
    for name, size in by_name.items():
        url = databases[name]
        _fill(stage, url, size)
        running = stage.serve(name, PLATFORM, asgi_loop=asgi_loop, environ={"DATABASE_URL": url})
        door = Door(running, native(running, key))
        stage.wait_until(name, lambda: generator.answers(door.target))  # noqa: B023 - called at once
        places[name] = _Place(door, url)
    for place in places.values():
        generator.play(place.door.target, clients=4, requests=100)
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in places}
    for number in range(_ROUNDS):
        for name in sorted(places, reverse=bool(number % 2)):
            rounds[name].append(places[name].round(generator, max(1, requests // _ROUNDS)))
    pairs = list(zip(rounds["small"], rounds["large"], strict=True))
    return Growth(
        sizes=by_name,
        process={name: median([process for process, _ in found]) for name, found in rounds.items()},
        database={name: median([database for _, database in found]) for name, found in rounds.items()},
        ratio=median([sum(large) / sum(small) for small, large in pairs]),
        process_ratio=median([large[0] / small[0] for small, large in pairs]),
    )


@dataclass(frozen=True)
class _Place:
    """A speech process and its database."""

    door: Door
    database_url: str

    def round(self, generator: LoadGenerator, requests: int) -> tuple[float, float]:
        """CPU ms a request: of the process, of its database's backends."""
        backends = self._backends()
        before = sum(map(cpu_seconds, backends))
        cell = Cell()
        play(generator, self.door, 1, requests, cell)
        return cell.cpu_ms, (sum(map(cpu_seconds, backends)) - before) * 1000 / requests

    def _backends(self) -> list[int]:
        """Those of the group commit, which keeps its connections."""
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'voiceflow-ledger'"
            ).fetchall()
        return [row[0] for row in rows]


def _fill(stage: Stage, url: str, size: Sizes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.fill", str(size.keys), str(size.records)],
        env=stage.environ | {"DATABASE_URL": url},
        cwd=CHECKOUT,
        check=False,
    )
    if done.returncode:
        raise BenchError("The database could not be filled; what it said is above.")


def print_table(growth: Growth) -> None:
    rows = [
        (name, f"{size.keys:,}", f"{size.records:,}", growth.process[name], growth.database[name])
        for name, size in growth.sizes.items()
    ]
    head = ("database", "keys", "records", "process", "PostgreSQL")
    table(f"CPU of one request, ms; large to small {growth.ratio:.3f}", head, rows)
