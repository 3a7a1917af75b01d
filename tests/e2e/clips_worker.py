"""The process that checks recordings, as `make run` starts it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from apps.core import processes
from tests.platform import CHECKOUT, Server, until
from voiceflow.runner import commands


class ClipsWorker:
    """Celery's process for clips, beside the tests' server: its database, Redis and media."""

    def __init__(self, server: Server, *, queues: str = "clips") -> None:
        self.log_path = server.folder / "clips.log"
        self.log_path.unlink(missing_ok=True)
        instead = {"WARNING": "INFO", "clips": queues, "--quiet": "--no-color"}
        argv = [instead.get(word, word) for word in commands.clips().argv]
        self.process = processes.spawn(argv, env=server.environment, log=self.log_path, cwd=CHECKOUT)
        try:
            until(self._is_ready, seconds=90, what="Celery")
        except BaseException:
            processes.terminate(self.process, grace_seconds=5)
            raise

    def _is_ready(self) -> bool:
        assert self.process.is_running(), self.log()
        return " ready." in self.log()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes.terminate(self.process, grace_seconds=10)

    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""
