"""The processes that a start consists of: begin, watch, end."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from apps.core import processes

from .commands import Command
from .console import Console
from .signals import StopSignals

_LOOK_EVERY_SECONDS = 0.05
_LAST_LINES_SECONDS = 1.0
_SAY_EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class Child:
    command: Command
    process: processes.Process
    log: threading.Thread

    @property
    def name(self) -> str:
        return self.command.name

    def join_log(self) -> None:
        """Waits until its last lines are on the terminal."""
        self.log.join(_LAST_LINES_SECONDS)


def start(command: Command, *, environ: dict[str, str], cwd: Path, console: Console) -> Child:
    """Call it from the main thread: the child ends with the thread that starts it."""
    process = processes.spawn(command.argv, env=environ, log=subprocess.PIPE, cwd=cwd)
    assert process.popen is not None and process.popen.stdout is not None  # noqa: S101, PT018
    return Child(command, process, console.pump(command.name, process.popen.stdout))


def stop_together(children: list[Child], signals: StopSignals, say: Callable[[str], None]) -> list[Child]:
    """Asks all to stop, waits for each as long as it may take, kills what is left.

    Returns those that had to be killed. A second Ctrl-C ends the waiting.
    """
    for child in children:
        child.process.signal(signal.SIGTERM)
    asked = said = time.monotonic()
    waiting = list(children)
    while waiting and not signals.hurry:
        now = time.monotonic()
        elapsed_seconds = now - asked
        waiting = [
            child
            for child in waiting
            if child.process.is_running() and elapsed_seconds < child.command.stop_grace_seconds
        ]
        if waiting and now - said >= _SAY_EVERY_SECONDS:
            say(f"Still waiting for {', '.join(child.name for child in waiting)} to stop")
            said = now
        time.sleep(_LOOK_EVERY_SECONDS)
    killed = [child for child in children if child.process.is_running()]
    for child in children:
        child.process.kill_group()
        if child.process.popen is not None:
            child.process.popen.wait()
        child.join_log()
    return killed


def how_it_ended(process: processes.Process) -> str:
    status = process.returncode()
    if status is None:
        return "ended"
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit status {status}"
