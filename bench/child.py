"""A child process that answers each line of JSON with one, as the bench holds it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import BenchError

_STOP_SECONDS = 5


class Child:
    """`python -m module`, ended with the context; it ends by itself where its parent is killed."""

    def __init__(self, checkout: Path, module: str) -> None:
        self._checkout = checkout
        self._module = module

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._checkout,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate(timeout=_STOP_SECONDS)

    def exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        """Raises `BenchError` where the child has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BenchError(f"{self._module} has ended; what it said is above.") from None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"{self._module} has ended; what it said is above.")
        answer: dict[str, Any] = json.loads(line)
        return answer
