"""A Celery worker beside the tests' server: real processes, killed and started again."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from apps.core import processes
from tests.platform import CHECKOUT, Server, until


@dataclass(frozen=True)
class Surroundings:
    """Where a worker runs that has no server beside it."""

    folder: Path
    environment: dict[str, str]


class CeleryWorker:
    """As `make run` starts it, for both queues, with the schedule. Its pool ends with it."""

    def __init__(self, server: Server | Surroundings) -> None:
        self.server = server
        self.log_path = server.folder / "celery.log"
        self.process = self._spawn()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes.terminate(self.process, grace_seconds=10)

    def _spawn(self) -> processes.Process:
        self.log_path.unlink(missing_ok=True)
        command = [
            *(
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "celery",
                "-A",
                "voiceflow.runner.celery_worker",
                "worker",
            ),
            *("--beat", "--schedule", str(self.server.folder / "beat-schedule"), "-Q", "celery,jobs"),
            *("--concurrency", "2", "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
        started = processes.spawn(command, env=self.server.environment, log=self.log_path, cwd=CHECKOUT)
        until(lambda: " ready." in self.log(), seconds=60, what="Celery")
        return started

    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def kill(self) -> None:
        """SIGKILL to the worker and its pool, in the middle of whatever they do."""
        self.process.signal(signal.SIGKILL)
        self.process.kill_group()
        assert self.process.wait(10)

    def start_again(self) -> None:
        self.process = self._spawn()
