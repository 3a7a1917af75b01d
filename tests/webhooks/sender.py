"""The process that sends webhooks, as `make run` starts it: real, killed and started again."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from apps.core import processes
from tests.platform import CHECKOUT, test_database_url, until
from voiceflow.runner import commands


class Sender:
    """Celery's threads for webhooks, with a schedule beside them, over the test's database and Redis."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.log_path = folder / "webhooks.log"
        self.environment = {
            **os.environ,
            "DATABASE_URL": test_database_url(),
            "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
            "BASE_URL": "http://localhost:8080",
            "LOG_FORMAT": "json",
            "PGAPPNAME": "voiceflow-sender",
            **environment,
        }
        self.process = self._spawn()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes.terminate(self.process, grace_seconds=10)

    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever its threads do."""
        self.process.signal(signal.SIGKILL)
        self.process.kill_group()
        assert self.process.wait(10)

    def start_again(self) -> None:
        self.process = self._spawn()

    def _spawn(self) -> processes.Process:
        self.log_path.unlink(missing_ok=True)
        argv = [
            word if word != "WARNING" else "INFO" for word in commands.webhooks().argv if word != "--quiet"
        ]
        command = [*argv, "--beat", "--schedule", str(self.folder / "schedule")]
        assert command[0] == sys.executable
        started = processes.spawn(command, env=self.environment, log=self.log_path, cwd=CHECKOUT)
        until(lambda: " ready." in self.log(), seconds=60, what="Celery")
        return started
