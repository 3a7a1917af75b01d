"""The process that checks recordings, as `make run` starts it."""

from __future__ import annotations

import signal
from types import TracebackType
from typing import Self

from apps.core import processes
from tests.platform import CHECKOUT, Server, until
from tests.tts.jobs.celery_worker import Surroundings
from voiceflow.runner import commands


class ClipsWorker:
    """Celery's process for clips, beside the tests' server: its database, Redis and media."""

    def __init__(self, server: Server | Surroundings, *, queues: str = "clips") -> None:
        self.server, self.queues = server, queues
        self.log_path = server.folder / "clips.log"
        self.process = self._spawn()

    def _spawn(self) -> processes.Process:
        self.log_path.unlink(missing_ok=True)
        instead = {"WARNING": "INFO", "clips": self.queues, "--quiet": "--no-color"}
        argv = [instead.get(word, word) for word in commands.clips().argv]
        started = processes.spawn(argv, env=self.server.environment, log=self.log_path, cwd=CHECKOUT)
        try:
            until(lambda: self._is_ready(started), seconds=90, what="Celery")
        except BaseException:
            processes.terminate(started, grace_seconds=5)
            raise
        return started

    def _is_ready(self, started: processes.Process) -> bool:
        assert started.is_running(), self.log()
        return " ready." in self.log()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes.terminate(self.process, grace_seconds=10)

    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def kill(self) -> None:
        """SIGKILL to it and its pool, in the middle of whatever they do."""
        self.process.signal(signal.SIGKILL)
        self.process.kill_group()
        assert self.process.wait(10)

    def start_again(self) -> None:
        self.process = self._spawn()
