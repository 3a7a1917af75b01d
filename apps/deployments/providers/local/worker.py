"""One worker process: started clean, watched until it ends, drained when asked."""

from __future__ import annotations

import asyncio
import collections
import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import aiohttp

from apps.core import processes
from apps.deployments.providers.base import ReplicaState, Wanted
from apps.deployments.providers.local.statefile import RecordedProcess
from gpu_worker.protocol import CHATTERBOX_ENGINES

HOST = "127.0.0.1"
START_POLL_SECONDS = 0.05
WATCH_SECONDS = 0.2
LIVENESS_EVERY_SECONDS = 2.0
LIVENESS_TIMEOUT_SECONDS = 5.0
LIVENESS_FAILURES = 3
DRAIN_SECONDS = 30
# What a worker may know of the supervisor's environment: where programs are, and its own settings.
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "THREADS",
    "MAX_QUEUE",
    "DEVICE",
    "DTYPE",
    "MAX_BATCH",
    "FLOW_SECONDS",
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "TONE_REAL_TIME_FACTOR",
)


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What all workers of this supervisor have in common.

    `inherited` is the supervisor's environment, of which only PASSED_ON reaches a worker; `worker_env` is
    production, development or test. `cloning` are the worker's own settings of cloned voices. Chatterbox runs
    on a `chatterbox_python` of its own, from the folder of its name in `models` where there is one.
    """

    code_root: Path
    ports: Path
    worker_env: str
    token_required: bool
    inherited: Mapping[str, str] = field(repr=False)
    cloning: Mapping[str, str] = field(default_factory=dict, repr=False)
    chatterbox_python: Path | None = None
    models: Path | None = None

    def command(self, wanted: Wanted) -> list[str]:
        python = self.chatterbox_python if wanted.engine in CHATTERBOX_ENGINES else None
        return [str(python or sys.executable), "-m", "gpu_worker"]

    def environment(self, wanted: Wanted, port_file: Path, token: str) -> dict[str, str]:
        environment = {name: self.inherited[name] for name in PASSED_ON if name in self.inherited}
        environment |= self.cloning
        environment |= {
            "ENGINE": wanted.engine,
            "HOST": HOST,
            "PORT": "0",
            "PORT_FILE": str(port_file),
            "WORKER_ENV": self.worker_env,
            "DRAIN_SECONDS": str(DRAIN_SECONDS),
            "PYTHONUNBUFFERED": "1",
        }
        if wanted.engine in CHATTERBOX_ENGINES and self.models and (self.models / wanted.engine).is_dir():
            environment["MODEL_DIR"] = str(self.models / wanted.engine)
        return environment | ({"WORKER_TOKEN": token} if token else {})


class WorkerProcess:
    """A replica in the flesh. Create it from the thread that lives as long as the supervisor."""

    def __init__(self, wanted: Wanted, setup: WorkerSetup) -> None:
        self.id = f"{wanted.name[:48]}-{secrets.token_hex(4)}"
        self.token = secrets.token_urlsafe(32) if setup.token_required else ""
        self.url = ""
        self.state = ReplicaState.STARTING
        self._port_file = setup.ports / self.id
        self._process = processes.spawn(
            setup.command(wanted),
            env=setup.environment(wanted, self._port_file, self.token),
            log=subprocess.PIPE,
            cwd=setup.code_root,
        )
        popen = self._process.popen
        if popen is None or popen.stdout is None:
            raise OSError("the worker was started without a pipe for its output")
        self._log = _LogRelay(popen.stdout)
        self._log.start()

    @property
    def recorded(self) -> RecordedProcess:
        return RecordedProcess(pid=self._process.pid, identity=self._process.identity)

    async def watch(self, session: aiohttp.ClientSession, on_ready: Callable[[], None]) -> str:
        """Returns when the process has ended, with words about its end; tells once when it can speak."""
        if await self._until_ready(session):
            if self.state is ReplicaState.STARTING:
                self.state = ReplicaState.RUNNING
            on_ready()
            await self._until_dead(session)
        return self._words()

    async def stop(self, grace_seconds: float) -> None:
        """Lets it finish what it speaks, for at most `grace_seconds`; returns when nothing is left of it."""
        self.state = ReplicaState.DRAINING
        # In a thread, since this waits; stopping does not depend on which thread does it.
        await asyncio.to_thread(processes.terminate, self._process, grace_seconds)
        self._clean_up()

    def kill(self) -> None:
        self._process.kill_group()

    async def _until_ready(self, session: aiohttp.ClientSession) -> bool:
        while self._process.is_running():
            if not self.url:
                self.url = self._read_url()
            if self.url and await _answers(session, f"{self.url}/ready"):
                return True
            await asyncio.sleep(START_POLL_SECONDS)
        return False

    async def _until_dead(self, session: aiohttp.ClientSession) -> None:
        """Also kills a process that lives but no longer answers."""
        loop = asyncio.get_running_loop()
        next_check, failures = loop.time() + LIVENESS_EVERY_SECONDS, 0
        while self._process.is_running():
            if loop.time() >= next_check:
                failures = 0 if await _answers(session, f"{self.url}/health") else failures + 1
                next_check = loop.time() + LIVENESS_EVERY_SECONDS
            if failures >= LIVENESS_FAILURES:
                self._log.add(f"killed, since it did not answer /health {failures} times in a row")
                self.kill()
            await asyncio.sleep(WATCH_SECONDS)

    def _read_url(self) -> str:
        try:
            port = int(self._port_file.read_text())
        except (FileNotFoundError, ValueError):
            return ""  # not written yet, or not to its end
        return f"http://{HOST}:{port}"

    def _words(self) -> str:
        """How it ended, and the last it said."""
        self._process.kill_group()
        status = self._process.returncode()
        self._clean_up()
        how = "was ended by the system"
        if status is not None:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        last = self._log.last_words()
        return f"The worker process {how}. Its last words: {last}" if last else f"The worker process {how}."

    def _clean_up(self) -> None:
        self._log.join(timeout=1)
        self._port_file.unlink(missing_ok=True)


class _LogRelay(threading.Thread):
    """Passes a worker's output on to ours, and remembers the end of it."""

    MAX_LINE_BYTES = 16_384

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(name="worker-log", daemon=True)
        self._pipe = pipe
        self._last: collections.deque[str] = collections.deque(maxlen=5)

    def run(self) -> None:
        with self._pipe:
            while line := self._pipe.readline(self.MAX_LINE_BYTES):
                sys.stderr.buffer.write(line if line.endswith(b"\n") else line + b"\n")
                sys.stderr.buffer.flush()
                self.add(line.decode(errors="replace"))

    def add(self, line: str) -> None:
        if line.strip():
            self._last.append(line.strip())

    def last_words(self) -> str:
        """The newest error among its last lines, else the newest line."""
        lines = [_Line.of(line) for line in reversed(self._last)]
        newest = next((line for line in lines if line.is_error), lines[0] if lines else None)
        return newest.words[:500] if newest else ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a worker's log, which is JSON; or of what is none, such as a traceback, all of it."""

    words: str
    is_error: bool = False

    @classmethod
    def of(cls, text: str) -> _Line:
        try:
            fields = json.loads(text)
        except ValueError:
            return cls(text)
        if not isinstance(fields, dict):
            return cls(text)
        words = fields.get("message") or fields.get("event") or text
        return cls(str(words), is_error=fields.get("level") in {"error", "critical"})


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        timeout = aiohttp.ClientTimeout(total=LIVENESS_TIMEOUT_SECONDS)
        async with session.get(url, timeout=timeout) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
