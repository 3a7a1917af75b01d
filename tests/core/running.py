"""The whole platform as a child process, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from apps.core import processes

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_READY_LIMIT_SECONDS = 150.0


@dataclass(frozen=True)
class Run:
    """One `python -m voiceflow.run`; what it says is in `log`."""

    process: processes.Process
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_it_says(self, words: str) -> None:
        deadline = time.monotonic() + _READY_LIMIT_SECONDS
        while words not in self.output:
            assert self.process.is_running(), self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    def exit_status(self, limit_seconds: float = 60) -> int | None:
        assert self.process.wait(limit_seconds), self.output
        return self.process.returncode()

    def descendants(self) -> dict[int, processes.Process]:
        """All processes that it has started, and those that these have, by pid."""
        listing = subprocess.run(
            ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        ).stdout
        parents = {int(pid): int(parent) for pid, parent in map(str.split, listing.splitlines())}
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        identities = {pid: processes.identity(pid) for pid in found - {self.process.pid}}
        return {pid: processes.Process(pid, known) for pid, known in identities.items() if known}

    def descendant(self, words: str) -> processes.Process:
        """The first of them whose command line holds `words`."""
        return next(
            process
            for pid, process in sorted(self.descendants().items())
            if words in processes.command_line(pid)
        )


def start(var_dir: Path, *, log: Path, **settings: str) -> Run:
    """Starts it on a free port (unless PORT is given) with services of its own."""
    ours = {"VAR_DIR": str(var_dir), "PORT": "0", "VOICEFLOW_ENV": "test"} | settings
    inherited = {name: value for name, value in os.environ.items() if name not in _SERVICES}
    process = processes.spawn(
        [sys.executable, "-m", "voiceflow.run"], env=inherited | ours, log=log, cwd=CHECKOUT
    )
    return Run(process, log)


# What the test session has set for itself.
_SERVICES = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "KEY_PEPPERS", "FIELD_ENCRYPTION_KEYS", "BASE_URL"}
