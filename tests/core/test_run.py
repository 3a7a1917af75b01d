"""`python -m voiceflow.run`, as a process: what it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core.embedded import layout as places
from apps.core.embedded.lock import FolderLock
from apps.core.processes import Process, terminate
from tests.core.running import Run, start
from voiceflow.runner.secrets import read_assignments

READY = "VoiceFlow runs: "
STOPPED = "Everything has stopped"


def a_folder() -> Iterator[Path]:
    """Its path is short, as those of sockets have to be."""
    folder = Path(tempfile.mkdtemp(prefix="vf-"))
    yield folder
    places.remove_area(folder / "var")
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    yield from a_folder()


@pytest.fixture
def platform(home: Path) -> Iterator[Run]:
    """One that is ready."""
    run = start(home / "var", log=home / "log")
    try:
        run.wait_until_it_says(READY)
        yield run
    finally:
        terminate(run.process, 60)


def demo(home: Path) -> dict[str, str]:
    return read_assignments(home / "var" / "demo.env")


def assert_all_end(everything: dict[int, Process], limit_seconds: float = 15) -> None:
    assert len(everything) > 8  # PostgreSQL with its children, Redis, web, Celery, provider, worker
    left = [process for process in everything.values() if not process.wait(limit_seconds)]
    assert left == []


def test_a_port_in_use_is_said_before_anything_starts(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = start(home / "var", log=home / "log", PORT=str(port))
        assert run.exit_status() == 1
    assert run.output.startswith(f"Port {port} is in use by another program. Choose another: PORT=")
    assert run.output.count("\n") == 1
    assert not (home / "var" / "services.lock").exists()


@pytest.mark.parametrize("port", ["eighty", "-1", "65536"])
def test_a_port_that_is_none_is_refused(home: Path, port: str) -> None:
    run = start(home / "var", log=home / "log", PORT=port)
    assert run.exit_status() == 1
    assert run.output == f"PORT must be a number from 0 to 65535, not '{port}'.\n"


def test_a_second_run_is_refused_and_told_of_the_first(home: Path) -> None:
    lock = FolderLock.acquire(home / "var" / "run.lock", note="http://localhost:8080")
    try:
        run = start(home / "var", log=home / "log")
        assert run.exit_status() == 1
    finally:
        lock.release()
    assert run.output == (
        f"VoiceFlow runs already in this checkout: process {os.getpid()}, http://localhost:8080. "
        "Stop it first.\n"
    )


def test_a_database_that_is_away_ends_the_start(home: Path) -> None:
    run = start(
        home / "var",
        log=home / "log",
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert run.exit_status() == 1
    assert "migrate ended with exit status 1" in run.output.splitlines()[-1]
    assert not (home / "var" / "services.lock").exists()


def test_a_stop_while_it_starts_is_no_failure(home: Path) -> None:
    run = start(home / "var", log=home / "log")
    run.wait_until_it_says("Bringing the database up to date")
    everything = run.descendants()
    assert everything
    run.process.signal(signal.SIGTERM)
    assert run.exit_status() == 0
    assert [process for process in everything.values() if process.is_running()] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_starts_stops_and_starts_again_with_its_data(home: Path) -> None:
    kept = []
    for number in (signal.SIGTERM, signal.SIGINT):
        run = start(home / "var", log=home / f"log-{number.name}")
        run.wait_until_it_says(READY)
        assert stat.S_IMODE((home / "var" / "demo.env").stat().st_mode) == 0o600
        kept.append(demo(home) | {"BASE_URL": "", "WORKER_URL": ""})
        with urllib.request.urlopen(f"{demo(home)['BASE_URL']}/ready/speech") as answer:  # noqa: S310
            assert answer.status == 200
        everything = run.descendants()
        run.process.signal(number)
        assert run.exit_status() == 0
        assert run.output.rstrip().endswith(STOPPED)
        assert "killed" not in run.output
        assert_all_end(everything, limit_seconds=0)
    assert kept[0] == kept[1]
    assert not (home / "var" / "unfinished").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_kill_leaves_no_process_and_the_next_start_clears_up(home: Path, platform: Run) -> None:
    everything = platform.descendants()
    os.kill(platform.process.pid, signal.SIGKILL)
    assert platform.process.wait(5)
    assert_all_end(everything)
    again = start(home / "var", log=home / "again")
    try:
        again.wait_until_it_says(READY)
        assert "Closing what a killed run left open" in again.output
    finally:
        terminate(again.process, 60)


@pytest.fixture(scope="module")
def worn() -> Iterator[Path]:
    """A folder in which one run after the other ends badly: each finds what the one before has left."""
    yield from a_folder()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("web", "gunicorn"),
        ("celery", "--queues celery"),
        ("provider", "run_local_provider"),
        ("redis", "redis-server"),
        ("postgres", "cluster"),
    ],
)
def test_when_one_is_killed_all_go_and_it_says_which(worn: Path, name: str, words: str) -> None:
    run = start(worn / "var", log=worn / f"log-{name}")
    try:
        run.wait_until_it_says(READY)
        everything = run.descendants()
        os.kill(run.descendant(words).pid, signal.SIGKILL)
        assert run.exit_status() == 1
        assert f"{name} was ended by SIGKILL, so everything stops" in run.output
        assert run.output.rstrip().endswith(STOPPED)
        assert_all_end(everything)
    finally:
        terminate(run.process, 60)
