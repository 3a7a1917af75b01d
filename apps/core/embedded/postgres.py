"""One PostgreSQL server: a child process, reached by a Unix socket, by us alone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from apps.core import processes

from .binaries import PostgresBinaries, postgres_binaries
from .errors import EmbeddedError
from .layout import Layout

Progress = Callable[[str], None]

ROLE = "voiceflow"
DATABASE = "voiceflow"
_STOP_GRACE_SECONDS = 10.0
_START_LIMIT_SECONDS = 300.0  # recovery after a crash reads at most max_wal_size, a slow disk included
_SAY_EVERY_SECONDS = 5.0
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",  # compiling costs more than the small queries of a page take
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A test database need not survive a power cut, only the death of processes.
_SETTINGS_WITHOUT_DURABILITY = {"fsync": "off", "full_page_writes": "off"}


@dataclass
class PostgresServer:
    """Start, stop and start again as often as a test needs; `url` stays the same."""

    layout: Layout
    durable: bool = True
    progress: Progress = lambda _message: None
    process: processes.Process | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.layout.run), safe='')}"

    @property
    def log(self) -> Path:
        return self.layout.logs / "postgres.log"

    @property
    def _data(self) -> Path:
        return self.layout.data / "cluster"

    def start(self) -> None:
        """Returns when the database answers. Raises `EmbeddedError`."""
        binaries = postgres_binaries(self.layout)
        self.log.parent.mkdir(exist_ok=True)
        self.log.write_bytes(b"")
        if not self._data.is_dir():
            self.progress("PostgreSQL: making the database folder (first start)")
            self._initialize(binaries)
        self._check_version(binaries)
        self._end_earlier_server()
        self.process = processes.spawn(
            [binaries.postgres, "-D", self._data, *self._options()],
            env=_ENVIRONMENT,
            log=self.log,
            user=self.layout.user,
            cwd=self.layout.data,
            # An immediate shutdown: the server ends its own children, which lead groups of their own,
            # and replays its log at the next start.
            death_signal=signal.SIGQUIT,
        )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """A clean shutdown that ends open connections, bounded in time."""
        if self.process is not None:
            processes.terminate(self.process, _STOP_GRACE_SECONDS, stop_signal=signal.SIGINT)
            self.process = None

    def _options(self) -> list[str]:
        settings = _SETTINGS | ({} if self.durable else _SETTINGS_WITHOUT_DURABILITY)
        settings = settings | {"unix_socket_directories": str(self.layout.run).replace(",", "\\,")}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _initialize(self, binaries: PostgresBinaries) -> None:
        half_made = self._data.with_name("cluster.part")
        shutil.rmtree(half_made, ignore_errors=True)
        command: list[str | Path] = [
            binaries.initdb,
            "-D",
            half_made,
            "-U",
            ROLE,
            "-E",
            "UTF8",
            "--auth=peer",
        ]
        # The builtin provider sorts and folds case alike on every machine, whatever its C library.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += [] if self.durable else ["--no-sync"]
        maker = processes.spawn(
            command, env=_ENVIRONMENT, log=self.log, user=self.layout.user, cwd=self.layout.data
        )
        try:
            self._wait_for(lambda: not maker.is_running(), "making the database folder")
        finally:
            maker.kill_group()
        if maker.returncode() != 0:
            raise EmbeddedError(f"initdb failed: {self._last_words()}")
        self._admit_only(pwd.getpwuid(os.geteuid()).pw_name, half_made)
        half_made.rename(self._data)

    def _admit_only(self, account: str, data: Path) -> None:
        """The kernel says who connects: our account may, no other that could reach the socket."""
        (data / "pg_hba.conf").write_text("local all all peer map=owner\n")
        (data / "pg_ident.conf").write_text(f'owner "{account}" {ROLE}\n')

    def _check_version(self, binaries: PostgresBinaries) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        if made_by != binaries.major_version:
            raise EmbeddedError(
                f"{self._data} was made by PostgreSQL {made_by}, installed is {binaries.major_version}: "
                "start anew with `make clean`, or install the earlier version."
            )

    def _end_earlier_server(self) -> None:
        """Ends a server whose owner was killed, and removes a pid file whose pid is another's by now.

        The caller holds the folder's lock, so no server that is in use is ever met here.
        """
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        identity = processes.identity(pid)
        if identity is None or not self._serves_our_data(pid):
            pid_file.unlink(missing_ok=True)
            return
        earlier = processes.find(pid, identity)
        if earlier is not None:
            self.progress("PostgreSQL: ending the server of an earlier start that was killed")
            processes.terminate(earlier, _STOP_GRACE_SECONDS, stop_signal=signal.SIGQUIT)

    def _serves_our_data(self, pid: int) -> bool:
        return str(self._data) in processes.command_line(pid)

    def _wait_until_it_answers(self) -> None:
        admin_url = self.url.replace(f"/{DATABASE}?", "/postgres?", 1)
        self._wait_for(lambda: self._answers(admin_url), "starting (it repairs itself after a crash)")
        with psycopg.connect(admin_url, autocommit=True) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if row is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

    def _answers(self, url: str) -> bool:
        if self.process is None or not self.process.is_running():
            raise EmbeddedError(f"PostgreSQL did not start: {self._last_words()}")
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _wait_for(self, done: Callable[[], bool], doing: str) -> None:
        started = said = time.monotonic()
        while not done():
            now = time.monotonic()
            if now - started > _START_LIMIT_SECONDS:
                raise EmbeddedError(
                    f"PostgreSQL: {doing} took over {_START_LIMIT_SECONDS:.0f} s; see {self.log}."
                )
            if now - said >= _SAY_EVERY_SECONDS:
                self.progress(f"PostgreSQL: still {doing}, {now - started:.0f} s")
                said = now
            time.sleep(0.02)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-3:]) or f"see {self.log}"
