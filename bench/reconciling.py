"""One pass over many deployments at Verda's stand-in: seconds, and calls within what is allowed.

A real Celery worker with the processes that `make run` gives it does the work; its schedule is left out, so
that a pass is alone.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from bench.child import Child
from bench.figures import median, rounded
from bench.report import say, table
from bench.stage import CHECKOUT, Stage, on_stage

MAX_PASS_SECONDS = 5.0
CALLS_A_SECOND = 5
# For those who prepare; what is measured keeps to the other.
_UNHURT = "1000"


@dataclass(frozen=True)
class Passes:
    """One of each for each pass; `most_within_a_second` are calls in any second, wherever that begins."""

    deployments: int
    moving: int
    seconds: Sequence[float]
    calls: Sequence[int]
    most_within_a_second: int

    def figures(self) -> dict[str, object]:
        summary = {
            "deployments": self.deployments,
            "moving": self.moving,
            "passes": len(self.seconds),
            "median_seconds": median(self.seconds),
            "worst_seconds": max(self.seconds),
            "calls_of_a_pass": median(self.calls),
            "most_calls_of_a_pass": max(self.calls),
            "most_calls_within_any_second": self.most_within_a_second,
            "calls_a_second_allowed": CALLS_A_SECOND,
        }
        verdicts = {
            "a_pass_under_5_s": max(self.seconds) < MAX_PASS_SECONDS,
            # Granted in time, one may come in later and the next one sooner.
            "within_its_calls": self.most_within_a_second <= CALLS_A_SECOND + 1,
        }
        return {**rounded(summary), "verdicts": verdicts}


def measure(*, deployments: int, moving: int, rounds: int) -> Passes:
    with on_stage() as stage, Child(CHECKOUT, "bench.verda_stand_in") as verda:
        stage.start_services()
        _set_up(stage, verda)
        say(f"Making {deployments} deployments, {moving} of them starting")
        told = {"deployments": deployments, "moving": moving}
        names = json.loads(stage.run_module("bench.reconciling_rows", told, VERDA_CALLS_A_SECOND=_UNHURT))
        verda.exchange({"do": "copy", "names": names})
        say(f"Looking after all of them, {rounds} times")
        stage.start_celery()
        # What a process asks once in its life is asked by then.
        stage.run_module("bench.reconciling_passes", {"rounds": 2})
        spans = json.loads(stage.run_module("bench.reconciling_passes", {"rounds": rounds}))
        called_at = sorted(verda.exchange({"do": "tell"})["called_at"])
    within = [called_at[bisect_left(called_at, began) : bisect_right(called_at, end)] for began, end in spans]
    counted = [moment for moments in within for moment in moments]
    return Passes(
        deployments=deployments,
        moving=moving,
        seconds=[end - began for began, end in spans],
        calls=[len(moments) for moments in within],
        most_within_a_second=max(bisect_left(counted, moment + 1) - at for at, moment in enumerate(counted)),
    )


def _set_up(stage: Stage, verda: Child) -> None:
    told = verda.exchange({"do": "tell"})
    stage.set_up(
        VERDA_CLIENT_ID=told["client_id"],
        VERDA_CLIENT_SECRET=told["client_secret"],
        VERDA_BASE_URL=told["base_url"],
        VERDA_CALLS_A_SECOND=str(CALLS_A_SECOND),
        DEFAULT_WORKER_IMAGE="ghcr.io/acme/worker:1.0.0",
    )


def print_tables(passes: Passes) -> None:
    table(
        f"A pass over {passes.deployments} deployments, {passes.moving} of them starting",
        ("", "median", "worst", "asked"),
        [
            ("seconds", median(passes.seconds), max(passes.seconds), f"< {MAX_PASS_SECONDS:g}"),
            ("calls", median(passes.calls), max(passes.calls), ""),
            ("calls within a second", None, passes.most_within_a_second, f"≤ {CALLS_A_SECOND}"),
        ],
    )
