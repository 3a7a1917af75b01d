"""Embedded servers in folders of their own, for the tests of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from apps.core import processes
from apps.core.embedded import layout as places

CHECKOUT = Path(__file__).resolve().parent.parent.parent
OWNER = [
    sys.executable,
    "-c",
    "import sys, time; from pathlib import Path; from apps.core.embedded.services import Services; "
    "services = Services.start(Path(sys.argv[1]), redis=len(sys.argv) < 3); "
    "print(*(f'{p.pid}={p.identity}' for p in services.processes.values()), flush=True); time.sleep(600)",
]


@contextmanager
def temporary_var_dir() -> Iterator[Path]:
    """A checkout's var/, in a folder whose parents are nobody else's business."""
    home = Path(tempfile.mkdtemp(prefix="vf-"))
    folder = home / "checkout" / "var"
    folder.mkdir(parents=True)
    yield folder
    places.remove_area(folder)
    shutil.rmtree(home)


def rows(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM kept ORDER BY number")]


def write(url: str, number: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def first_line(process: processes.Process) -> str:
    assert process.popen is not None
    assert process.popen.stdout is not None
    with process.popen.stdout as output:
        return output.readline().decode().strip()


def owner_of_services(
    var_dir: Path, *only_postgres: str
) -> tuple[processes.Process, list[processes.Process]]:
    """A process that owns services, and the services' processes with all their children."""
    owner = processes.spawn(
        [*OWNER, str(var_dir), *only_postgres], env=os.environ, log=subprocess.PIPE, cwd=CHECKOUT
    )
    pairs = [word.split("=") for word in first_line(owner).split()]
    leaders = [processes.find(int(pid), identity) for pid, identity in pairs]
    return owner, [leader for leader in leaders if leader] + children_of([int(pid) for pid, _ in pairs])


def children_of(pids: list[int]) -> list[processes.Process]:
    listing = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    identities = [(pid, processes.identity(pid)) for pid, parent in pairs if parent in pids]
    return [processes.Process(pid, identity) for pid, identity in identities if identity is not None]
