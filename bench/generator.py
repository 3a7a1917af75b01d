"""The load generator as the bench holds it: rounds go in, results come out."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from bench.load import Result, Round, Sample, Target

_STOP_SECONDS = 5


class LoadGenerator:
    """A child process, ended with the context; it ends by itself where its parent is killed."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
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

    def play(
        self, target: Target, *, clients: int = 1, requests: int | None = None, seconds: float | None = None
    ) -> Result:
        """One round. Raises `BenchError` where a request went wrong: no figure is made of errors."""
        result = self._exchange(Round(target, clients, requests, seconds))
        for sample in result.samples:
            if sample.problem:
                raise BenchError(f"A request to {target.url} went wrong: {sample.problem}")
        return result

    def answers(self, target: Target) -> bool:
        """Whether one request is answered as it should be."""
        return not self._exchange(Round(target, clients=1, requests=1)).samples[0].problem

    def _exchange(self, this: Round) -> Result:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asdict(this)) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BenchError("The load generator has ended; what it said is above.") from None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError("The load generator has ended; what it said is above.")
        answer = json.loads(line)
        return Result(answer["elapsed_seconds"], [Sample(**sample) for sample in answer["samples"]])
