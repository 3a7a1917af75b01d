"""The load generator as the bench holds it: rounds go in, results come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.child import Child
from bench.errors import BenchError
from bench.load import Result, Round, Sample, Target


class LoadGenerator(Child):
    """`python -m bench.load`."""

    def __init__(self, checkout: Path) -> None:
        super().__init__(checkout, "bench.load")

    def play(
        self,
        target: Target,
        *,
        clients: int = 1,
        requests: int | None = None,
        seconds: float | None = None,
        variations: Sequence[dict[str, object]] = (),
    ) -> Result:
        """One round. Raises `BenchError` where a request went wrong: no figure is made of errors."""
        result = self.attempt(
            target, clients=clients, requests=requests, seconds=seconds, variations=variations
        )
        for sample in result.samples:
            if sample.problem:
                raise BenchError(f"A request to {target.url} went wrong: {sample.problem}")
        return result

    def attempt(
        self,
        target: Target,
        *,
        clients: int = 1,
        requests: int | None = None,
        seconds: float | None = None,
        variations: Sequence[dict[str, object]] = (),
        spread_seconds: float = 0.0,
    ) -> Result:
        """One round, whose samples say what went wrong."""
        this = Round(target, clients, requests, seconds, list(variations), spread_seconds)
        answer = self.exchange(asdict(this))
        return Result(answer["elapsed_seconds"], [Sample(**sample) for sample in answer["samples"]])

    def answers(self, target: Target) -> bool:
        """Whether one request is answered as it should be."""
        return not self.attempt(target, requests=1).samples[0].problem
