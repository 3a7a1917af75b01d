"""`python -m bench.webhooks`: how soon events arrive, how many at once, and what looking for them costs.

PostgreSQL, Redis, Celery with its schedule and the process that sends run as under `make run`; the receivers
are a process of their own on loopback.

- Open loop: so many events a second to 50 receivers, of which one takes 10 s and one never answers; from
  commit to receipt at the others.
- A burst: how many a second arrive, beside the same requests sent without a platform.
- The sweep: what it asks of the database with a thousand to a million deliveries behind it.

The last line is JSON. The exit status is 0 whatever the figures say: a bench, not a test.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench.child import Child
from bench.errors import BenchError
from bench.facts import facts
from bench.figures import cpu_seconds, percentile, rounded
from bench.report import last_line, say, table
from bench.stage import CHECKOUT, Stage, on_stage

MAX_P95_SECONDS = 2.0
MIN_PER_SECOND = 200
MAX_GROWTH = 1.1
_QUIET_SECONDS = 20.0


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    about = facts(CHECKOUT)
    try:
        figures = {name: part(options) for name, part in _PARTS.items() if options.only in ("", name)}
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        say("bench: stopped")
        return 130
    last_line({"bench": "webhooks", **about, **figures})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.webhooks", description="How soon events arrive, and how many at once."
    )
    parser.add_argument("--receivers", type=int, default=50, help="two of them are not healthy (50)")
    parser.add_argument("--per-second", type=float, default=150.0, help="events in the open loop (150)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the open loop (60)")
    parser.add_argument("--burst", type=int, default=10_000, help="events at once (10000)")
    parser.add_argument("--sizes", default="1000,1000000", help="deliveries behind a sweep (1000,1000000)")
    parser.add_argument("--rounds", type=int, default=200, help="sweeps of each size (200)")
    parser.add_argument("--only", choices=tuple(_PARTS), default="", help="one part alone")
    return parser


def _delivery(options: argparse.Namespace) -> dict[str, object]:
    with on_stage() as stage, Child(CHECKOUT, "bench.webhook_receivers") as receivers:
        stage.start_services()
        stage.set_up(OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8")
        ports = receivers.exchange({"do": "open", "healthy": options.receivers - 2})
        healthy = ports["healthy"]
        made = _run(stage, {"make": [*healthy, ports["slow"], ports["dead"]]})
        sender = stage.start_webhooks()
        say(f"Causing {options.per_second:g} events a second for {options.seconds:g} s")
        told = {"organizations": made, "per_second": options.per_second, "seconds": options.seconds}
        loop = _measured(stage, receivers, told, healthy=set(made[: len(healthy)]), pid=sender.pid)
        say(f"Causing {options.burst} events at once")
        told = {"organizations": made[: len(healthy)], "burst": options.burst}
        burst = _measured(stage, receivers, told, healthy=set(told["organizations"]), pid=sender.pid)
        say("Sending as many without the platform")
        bare = json.loads(stage.run_module("bench.webhook_bare", {"ports": healthy, "count": options.burst}))
    figures = {"open_loop": loop, "burst": burst, "bare": bare}
    _print_delivery(figures)
    return {
        **rounded(figures),
        "burst_to_bare": round(burst["per_second"] / bare["per_second"], 3),
        "verdicts": {
            "p95_under_2_s": loop["p95_seconds"] < MAX_P95_SECONDS,
            "all_arrived": loop["missing"] == 0 and burst["missing"] == 0,
            "burst_at_least_200_a_second": burst["per_second"] >= MIN_PER_SECOND,
        },
    }


def _measured(
    stage: Stage, receivers: Child, told: Mapping[str, Any], *, healthy: set[str], pid: int
) -> dict[str, Any]:
    """From commit to receipt, of events to healthy receivers; CPU time is that of the process that sends."""
    receivers.exchange({"do": "forget"})
    cpu_began = cpu_seconds(pid)
    committed: dict[str, float] = _run(stage, told)
    organizations = told["organizations"]
    wanted = {
        message: moment
        for number, (message, moment) in enumerate(committed.items())
        if organizations[number % len(organizations)] in healthy
    }
    came = _until_quiet(receivers, wanted)
    arrived = {message: came[message] for message in wanted if message in came}
    taken = [max(0.0, moment - wanted[message]) for message, moment in arrived.items()]
    spent = cpu_seconds(pid) - cpu_began
    return {
        "events": len(wanted),
        "missing": len(wanted) - len(arrived),
        "p50_seconds": percentile(taken, 50),
        "p95_seconds": percentile(taken, 95),
        "worst_seconds": max(taken),
        "per_second": len(arrived) / (max(arrived.values()) - min(wanted.values())),
        "cpu_ms_per_delivery": spent * 1000 / len(arrived),
    }


def _until_quiet(receivers: Child, wanted: Mapping[str, float]) -> dict[str, float]:
    """Until all have come, or nothing more does."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < _QUIET_SECONDS:
        count = receivers.exchange({"do": "count"})["count"]
        if count != last:
            last, since = count, time.monotonic()
        if count >= len(wanted):
            came: dict[str, float] = receivers.exchange({"do": "tell"})["came"]
            if came.keys() >= wanted.keys():
                return came
        time.sleep(0.25)
    told: dict[str, float] = receivers.exchange({"do": "tell"})["came"]
    return told


def _sweep(options: argparse.Namespace) -> dict[str, object]:
    sizes = [int(size) for size in options.sizes.split(",")]
    say(f"Sweeping beside {options.sizes} deliveries")
    with on_stage() as stage:
        stage.start_services()
        stage.set_up(OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8")
        asked = {"sizes": sizes, "rounds": options.rounds}
        by_size: dict[str, float] = json.loads(stage.run_module("bench.webhook_sweeps", asked))
    growth = by_size[str(sizes[-1])] / by_size[str(sizes[0])]
    table("A sweep, ms", ("deliveries behind it", "median"), list(by_size.items()))
    return {
        "median_ms": rounded(dict(by_size)),
        "growth": round(growth, 3),
        "verdicts": {"grows_by_a_tenth_at_most": growth <= MAX_GROWTH},
    }


def _run(stage: Stage, told: Mapping[str, Any]) -> Any:
    return json.loads(stage.run_module("bench.webhook_events", told))


def _print_delivery(figures: Mapping[str, Mapping[str, Any]]) -> None:
    loop, burst, bare = figures["open_loop"], figures["burst"], figures["bare"]
    table(
        "From commit to receipt, at the healthy ones, s",
        ("", "p50", "p95", "worst", "asked"),
        [("open loop", loop["p50_seconds"], loop["p95_seconds"], loop["worst_seconds"], "p95 < 2")],
    )
    table(
        "Deliveries a second",
        ("", "a second", "CPU ms each", "asked"),
        [
            ("open loop", loop["per_second"], loop["cpu_ms_per_delivery"], ""),
            ("burst", burst["per_second"], burst["cpu_ms_per_delivery"], f"≥ {MIN_PER_SECOND}"),
            ("without the platform", bare["per_second"], bare["cpu_ms"], ""),
        ],
    )


_PARTS = {"delivery": _delivery, "sweep": _sweep}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
