"""Embedded servers after kills, half-made folders and strangers' pid files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core import processes
from apps.core.embedded import layout as places
from apps.core.embedded.errors import EmbeddedError
from apps.core.embedded.lock import FolderLock, LockHeldError
from apps.core.embedded.postgres import PostgresServer
from apps.core.embedded.services import Services
from tests.core.servers import (
    CHECKOUT,
    children_of,
    first_line,
    owner_of_services,
    rows,
    temporary_var_dir,
    write,
)


@pytest.fixture
def var_dir() -> Iterator[Path]:
    with temporary_var_dir() as folder:
        yield folder


@pytest.mark.slow
def test_a_half_made_database_folder_is_made_anew(var_dir: Path) -> None:
    half_made = places.prepare(var_dir).data / "cluster.part"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    services = Services.start(var_dir, durable=False)
    services.stop()
    assert not half_made.exists()


@pytest.mark.slow
def test_data_of_another_postgres_is_left_alone(var_dir: Path) -> None:
    Services.start(var_dir, durable=False).stop()
    version = places.prepare(var_dir).data / "cluster" / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 15"):
        Services.start(var_dir)


@pytest.mark.slow
def test_a_pid_file_with_the_pid_of_another_program_is_no_obstacle(var_dir: Path) -> None:
    Services.start(var_dir, durable=False).stop()
    pid_file = places.prepare(var_dir).data / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    services = Services.start(var_dir, durable=False)
    services.stop()


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = processes.spawn(
        [
            *(sys.executable, "-c"),
            "import sys, time; from pathlib import Path; from apps.core.embedded.lock import FolderLock; "
            "lock = FolderLock.acquire(Path(sys.argv[1]), 'me'); print('held', flush=True); time.sleep(600)",
            path,
        ],
        env=os.environ,
        log=subprocess.PIPE,
        cwd=CHECKOUT,
    )
    assert first_line(holder) == "held"
    with pytest.raises(LockHeldError) as refused:
        FolderLock.acquire(path)
    assert (refused.value.pid, refused.value.note) == (holder.pid, "me")
    holder.kill_group()
    assert holder.wait(5)
    FolderLock.acquire(path).release()


@pytest.mark.slow
def test_killing_the_owner_leaves_no_process_and_no_data_is_lost(var_dir: Path) -> None:
    Services.start(var_dir).stop()
    owner, everything = owner_of_services(var_dir)
    assert len(everything) > 3
    write(PostgresServer(places.prepare(var_dir)).url, 1)
    os.kill(owner.pid, signal.SIGKILL)
    assert owner.wait(5)
    assert all(process.wait(10) for process in everything)
    services = Services.start(var_dir)
    try:
        assert rows(services.urls["DATABASE_URL"]) == [1]
    finally:
        services.stop()


@pytest.mark.slow
def test_a_killed_postgres_recovers(var_dir: Path) -> None:
    services = Services.start(var_dir, durable=False)
    assert services.postgres is not None
    assert services.postgres.process is not None
    write(services.urls["DATABASE_URL"], 1)
    backends = children_of([services.postgres.process.pid])
    os.kill(services.postgres.process.pid, signal.SIGKILL)
    assert services.postgres.process.wait(5)
    assert all(backend.wait(10) for backend in backends)
    services.postgres.start()
    assert rows(services.urls["DATABASE_URL"]) == [1]
    services.stop()


@pytest.mark.slow
def test_a_server_that_outlived_its_owner_is_ended_first(var_dir: Path) -> None:
    """Where the kernel knows no parent-death signal; here the owner is stopped, and its lock taken away."""
    owner, everything = owner_of_services(var_dir, "postgres only")
    (var_dir / "services.lock").unlink()
    services = Services.start(var_dir, redis=False)
    try:
        assert all(process.wait(5) for process in everything)
        write(services.urls["DATABASE_URL"], 1)
    finally:
        services.stop()
        processes.terminate(owner, 5)
