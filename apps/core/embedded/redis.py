"""One Redis server: a child process on loopback, behind a password that only we know.

Nothing is written to disk, on purpose. Redis holds only what can be rebuilt, and a snapshot that is older
than PostgreSQL would be worse than none: it would bring back spent quotas and the policy version of a
revoked key. Tasks that were still queued are found again by the schedule, which looks for unfinished work.
"""

from __future__ import annotations

import secrets
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.core import processes

from .binaries import redis_server
from .errors import EmbeddedError
from .layout import Layout

_STOP_GRACE_SECONDS = 3.0
_START_LIMIT_SECONDS = 20.0
_ATTEMPTS = 3
# pytest-xdist gives each of its processes a database of its own.
DATABASES = 64


@dataclass
class RedisServer:
    """Start, stop and start again; port and password, and with them `url`, stay the same."""

    layout: Layout
    progress: Callable[[str], None] = lambda _message: None
    process: processes.Process | None = field(default=None, init=False)
    _port: int = field(default=0, init=False)
    _password: str = field(default_factory=lambda: secrets.token_urlsafe(32), init=False)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def log(self) -> Path:
        return self.layout.logs / "redis.log"

    def start(self) -> None:
        """Returns when it answers. Raises `EmbeddedError`."""
        binary = redis_server(self.layout)
        self.log.parent.mkdir(exist_ok=True)
        self.log.write_bytes(b"")
        first_start = self._port == 0
        for _ in range(_ATTEMPTS):
            # Somebody may take the free port before Redis does; then another is tried.
            self._port = _free_port() if first_start else self._port
            self.process = self._spawn(binary)
            if self._answers_in_time(self.process):
                return
            self.stop()
        raise EmbeddedError(f"Redis did not start; see {self.log}.")

    def stop(self) -> None:
        if self.process is not None:
            processes.terminate(self.process, _STOP_GRACE_SECONDS, stop_signal=signal.SIGTERM)
            self.process = None

    def _spawn(self, binary: Path) -> processes.Process:
        settings = [
            f"port {self._port}",
            "bind 127.0.0.1",
            f"requirepass {self._password}",
            f"databases {DATABASES}",
            'save ""',
            "appendonly no",
            "loglevel notice",
        ]
        return processes.spawn(
            # The settings go by standard input: a command line shows the password to everybody.
            [binary, "-"],
            env={"LC_ALL": "C", "TZ": "UTC"},
            log=self.log,
            user=self.layout.user,
            cwd=self.layout.run,
            stdin="\n".join(settings).encode(),
        )

    def _answers_in_time(self, process: processes.Process) -> bool:
        deadline = time.monotonic() + _START_LIMIT_SECONDS
        # The client's own retries wait for seconds; the server is there within milliseconds.
        at_once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url, socket_timeout=2, retry=at_once) as client:
            while process.is_running() and time.monotonic() < deadline:
                try:
                    return bool(client.ping())
                except redis.ConnectionError:
                    time.sleep(0.02)
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
