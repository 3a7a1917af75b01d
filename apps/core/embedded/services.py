"""Both services of one folder, started and stopped together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from apps.core.processes import Process

from . import layout as places
from .lock import FolderLock
from .postgres import PostgresServer
from .redis import RedisServer


@dataclass(frozen=True)
class Services:
    """Running services; either is None where it was not asked for.

    They end with the thread that started them, and a kill -9 of the process leaves none behind.
    """

    lock: FolderLock
    postgres: PostgresServer | None
    redis: RedisServer | None

    @classmethod
    def start(
        cls,
        var_dir: Path,
        *,
        durable: bool = True,
        postgres: bool = True,
        redis: bool = True,
        progress: Callable[[str], None] = lambda _message: None,
    ) -> Services:
        """Starts what is asked for with its data under `var_dir`; returns when it answers.

        `durable=False` trades safety against power cuts for speed. `progress` is told what is done, at
        least every 5 s while something takes long; what it raises stops the start.
        Raises `LockHeldError` when services of this folder run already, `EmbeddedError` when they cannot run.
        """
        var_dir.mkdir(parents=True, exist_ok=True)
        lock = FolderLock.acquire(var_dir / "services.lock", note="embedded PostgreSQL and Redis")
        services = None
        try:
            layout = places.prepare(var_dir)
            services = cls(
                lock=lock,
                postgres=PostgresServer(layout, durable=durable, progress=progress) if postgres else None,
                redis=RedisServer(layout, progress=progress) if redis else None,
            )
            for server in (services.redis, services.postgres):
                if server is not None:
                    server.start()
        except BaseException:
            if services is None:
                lock.release()
            else:
                services.stop()
            raise
        return services

    @property
    def urls(self) -> dict[str, str]:
        """The environment variables that name these services."""
        servers = {"DATABASE_URL": self.postgres, "REDIS_URL": self.redis}
        return {name: server.url for name, server in servers.items() if server is not None}

    @property
    def processes(self) -> dict[str, Process]:
        servers = {"postgres": self.postgres, "redis": self.redis}
        return {
            name: server.process
            for name, server in servers.items()
            if server is not None and server.process is not None
        }

    def stop(self) -> None:
        """Redis first, then PostgreSQL, each bounded in time; then others may start in this folder."""
        try:
            for server in (self.redis, self.postgres):
                if server is not None:
                    server.stop()
        finally:
            self.lock.release()
