"""Real worker processes for tests, of this folder and of the platform."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

_START_SECONDS = 30
_STOP_SECONDS = 10


class WorkerProcess:
    """`python -m gpu_worker` on a free port of loopback."""

    module = "gpu_worker"

    def __init__(self, folder: Path, **environment: str) -> None:
        self.log_path = folder / "worker.log"
        self._port_file = folder / "port"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env={
                    **inherited,
                    "WORKER_ENV": "test",
                    "PORT": "0",
                    "PORT_FILE": str(self._port_file),
                    **environment,
                },
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = f"http://{environment.get('HOST', '127.0.0.1')}:{self._wait_for_port()}"

    def _wait_for_port(self) -> int:
        give_up_at = time.monotonic() + _START_SECONDS
        while not self._port_file.exists():
            assert self.process.poll() is None, self.log_path.read_text()
            assert time.monotonic() < give_up_at, self.log_path.read_text()
            time.sleep(0.01)
        return int(self._port_file.read_text())

    def wait_until_ready(self) -> None:
        """Returns once `/ready` answers 200."""
        give_up_at = time.monotonic() + _START_SECONDS
        while httpx.get(f"{self.url}/ready").status_code != 200:
            assert self.process.poll() is None, self.log_path.read_text()
            assert time.monotonic() < give_up_at, self.log_path.read_text()
            time.sleep(0.02)

    def wait_until_idle(self) -> None:
        """Returns once no request is held."""
        give_up_at = time.monotonic() + _STOP_SECONDS
        while (queue := self.queue())["active"] or queue["waiting"]:
            assert time.monotonic() < give_up_at, queue
            time.sleep(0.01)

    def queue(self) -> dict[str, int]:
        """What `/ready` says of the queue."""
        queue: dict[str, int] = httpx.get(f"{self.url}/ready").json()["queue"]
        return queue

    def log_of_event(self, event: str) -> list[dict[str, Any]]:
        """The log's lines of that event so far."""
        lines = [json.loads(line) for line in self.log_path.read_text().splitlines()]
        return [line for line in lines if line.get("event") == event]

    def log_of(self, request_id: str) -> list[dict[str, Any]]:
        """The log's lines about a request that has been answered; they come right after the answer."""
        give_up_at = time.monotonic() + _STOP_SECONDS
        while True:
            lines = [json.loads(line) for line in self.log_path.read_text().splitlines()]
            if found := [line for line in lines if line.get("request_id") == request_id]:
                return found
            assert time.monotonic() < give_up_at, lines
            time.sleep(0.01)

    def terminate(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Kills what is left of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_STOP_SECONDS)


@contextlib.contextmanager
def running_worker(folder: Path, **environment: str) -> Iterator[WorkerProcess]:
    """A worker that is ready, and gone afterwards."""
    worker = WorkerProcess(folder, **environment)
    try:
        worker.wait_until_ready()
        yield worker
    finally:
        worker.stop()
