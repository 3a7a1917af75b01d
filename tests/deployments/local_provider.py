"""A real `manage.py run_local_provider` and what it started, seen from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

from django.db import connection

from apps.core import processes
from apps.deployments.providers.base import Observation, ProviderError, Replica, ReplicaState, Wanted
from apps.deployments.providers.local import LocalProvider, statefile
from apps.deployments.providers.local.layout import Layout

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_T = TypeVar("_T")


def eventually(question: Callable[[], _T], *, seconds: float = 40.0) -> _T:
    """The first true answer; the failure says what the last one was."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds:g} s"
        time.sleep(0.05)
    return answer


def wanted(
    deployment_id: UUID | None = None, *, engine: str = "tone", replicas: int = 1, generation: int = 1
) -> Wanted:
    return Wanted(deployment_id or uuid4(), "test", engine, replicas, generation)


def children_of(pid: int) -> set[int]:
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def is_alive(pid: int) -> bool:
    return processes.identity(pid) is not None


@dataclass
class Supervisor:
    """One supervisor's folder, and the process on it while there is one."""

    var_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: processes.Process | None = None

    @property
    def layout(self) -> Layout:
        return Layout(self.var_dir)

    @property
    def provider(self) -> LocalProvider:
        return LocalProvider(self.var_dir)

    @property
    def log(self) -> str:
        return (self.var_dir / "supervisor.log").read_text()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        self.var_dir.mkdir(parents=True, exist_ok=True)
        self.process = processes.spawn(
            [sys.executable, "manage.py", "run_local_provider"],
            env=environment_of_tests() | {"VAR_DIR": str(self.var_dir)} | self.environment,
            log=self.var_dir / "supervisor.log",
            cwd=CHECKOUT,
        )
        eventually(self.answers)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.is_running(), self.log
        try:
            self.provider.list_ids()
        except ProviderError:
            return False
        return True

    def kill(self) -> None:
        assert self.process is not None
        self.process.signal(signal.SIGKILL)
        assert self.process.wait(10)

    def stop(self) -> int | None:
        """Exit status after SIGTERM."""
        assert self.process is not None
        self.process.signal(signal.SIGTERM)
        assert self.process.wait(20), self.log
        return self.process.returncode()

    def close(self) -> None:
        if self.process is not None:
            processes.terminate(self.process, 20)

    def clear(self) -> None:
        """Nothing is wanted any more, and nothing is left."""
        for deployment_id in self.provider.list_ids():
            self.provider.delete(deployment_id)
        eventually(lambda: not self.provider.list_ids())

    def workers(self) -> list[statefile.RecordedProcess]:
        return list(statefile.read(self.layout.state).processes)

    def until_running(self, deployment_id: UUID, count: int = 1, *, generation: int = 1) -> list[Replica]:
        """The replicas, once exactly that many of that generation run and no others are there."""

        def found() -> list[Replica] | None:
            observation = self.provider.describe(wanted(deployment_id))
            replicas = list(observation.replicas) if observation else []
            settled = [
                replica
                for replica in replicas
                if replica.state is ReplicaState.RUNNING and replica.generation == generation
            ]
            return settled if len(settled) == len(replicas) == count else None

        return eventually(found) or []

    def observe(self, deployment_id: UUID) -> Observation:
        observation = self.provider.describe(wanted(deployment_id))
        assert observation is not None
        return observation

    def run_again(self) -> subprocess.CompletedProcess[str]:
        """A second supervisor on the same folder, which should refuse."""
        return subprocess.run(
            [sys.executable, "manage.py", "run_local_provider"],
            env=os.environ | {"VAR_DIR": str(self.var_dir)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


def environment_of_tests() -> dict[str, str]:
    """For processes that read the database of this test."""
    return os.environ | {"DATABASE_URL": _url_of_test_database()}


def _url_of_test_database() -> str:
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
