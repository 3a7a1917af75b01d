"""A process that looks at deployments when it is told to, each time in a child of its own that may be killed.

    python -m tests.deployments.verda.looker

reads ids of deployments, a line each, and answers each with its child's number and then with how that ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from tests.fakes.verda import FakeVerda
from tests.fakes.verda.wire import Request


class Looker:
    """`look` returns whether the look came to its end. Before, `kills_at` says at which call it dies."""

    def __init__(self, verda: FakeVerda, database: str, worker_port: int, image: str) -> None:
        self._verda = verda
        self._child = 0
        self._is_known = threading.Event()
        self._kill_at, self._when_done, self._calls = 0, False, 0
        parts = urlsplit(os.environ["DATABASE_URL"])
        environment = os.environ | {
            "DATABASE_URL": urlunsplit(parts._replace(path=f"/{database}")),
            "VERDA_CLIENT_ID": verda.client_id,
            "VERDA_CLIENT_SECRET": verda.client_secret,
            "VERDA_BASE_URL": verda.base_url,
            "VERDA_INFERENCE_KEY": verda.inference_key,
            "VERDA_WORKER_PORT": str(worker_port),
            "VERDA_CALLS_A_SECOND": "1000",
            "VERDA_ATTEMPTS": "1",
            "DEFAULT_WORKER_IMAGE": image,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.deployments.verda.looker"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    def look(self, deployment_id: UUID, *, kill_at: int = 0, when_done: bool = False) -> bool:
        """Killed when so many calls have come in, before that call is done or after; 0 for never."""
        self._kill_at, self._when_done, self._calls = kill_at, when_done, 0
        self._is_known.clear()
        if kill_at:
            self._verda.at_call = self._at_call
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{deployment_id}\n")
        self._process.stdin.flush()
        self._child = int(self._process.stdout.readline())
        self._is_known.set()
        status = int(self._process.stdout.readline())
        assert status in (0, signal.SIGKILL), status
        return status == 0

    def _at_call(self, request: Request, is_done: bool) -> bool:
        self._calls += not is_done
        if self._calls != self._kill_at or is_done != self._when_done:
            return False
        self._is_known.wait()
        os.kill(self._child, signal.SIGKILL)
        return True


def main() -> None:
    import django

    django.setup()
    from apps.deployments import reconciliation

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                reconciliation.reconcile_deployment(UUID(line.strip()))
                code = 0
            finally:
                os._exit(code)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitpid(child, 0)[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
