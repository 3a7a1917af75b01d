"""`python -m bench.proxy`: what the platform adds to a speech request. Needs nothing that runs already.

In one run, against a worker that answers at once:

- CPU time and added latency of the lean door and of Django's, with everything on (authentication, limits,
  metering, metrics, logs), beside a bare ASGI gateway, and LiteLLM's proxy where it is installed (LITELLM
  names its program, else `litellm` on the PATH);
- 300 open streams through one process with a database pool of 5;
- the cost of a request with few and with many keys and records, by turns.

The last line is JSON. The exit status is 0 whatever the figures say: a bench, not a test.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from bench import doors, growth, open_streams
from bench.errors import BenchError
from bench.facts import facts
from bench.generator import LoadGenerator
from bench.report import last_line, say
from bench.stage import CHECKOUT, PLATFORM, on_stage

MAX_CPU_MS = 2.0
MAX_ADDED_P50_MS = 3.0
MIN_TIMES_LITELLM = 6.0


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    about = facts(CHECKOUT)
    try:
        figures = _measured(options)
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        say("bench: stopped")
        return 130
    last_line({"bench": "proxy", **about, **figures})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.proxy", description="Cost of the speech proxy.")
    parser.add_argument("--requests", type=int, default=1200, help="requests behind each CPU figure (1200)")
    parser.add_argument("--streams", type=int, default=open_streams.STREAMS, help="open streams (300)")
    parser.add_argument("--keys", type=int, default=100_000, help="keys in the large database (100,000)")
    parser.add_argument("--records", type=int, default=10_000_000, help="records there (10,000,000)")
    parser.add_argument("--asgi-loop", default="auto", choices=("auto", "asyncio", "uvloop"))
    return parser


def _measured(options: argparse.Namespace) -> dict[str, object]:
    with ExitStack() as stack:
        stage = stack.enter_context(on_stage())
        generator = stack.enter_context(LoadGenerator(CHECKOUT))
        say("Starting PostgreSQL, Redis and a worker that answers at once")
        stage.start_services()
        instant = stage.start_instant_worker()
        key = stage.seed([instant])
        # Before anybody is connected: PostgreSQL copies no database that is in use.
        databases = {name: stage.copy_database(name) for name in ("small", "large")}
        say("Starting the gateways")
        opened = doors.open_doors(stage, instant, key, asgi_loop=options.asgi_loop)
        for door in opened:
            stage.wait_until(door.name, lambda: generator.answers(door.target))  # noqa: B023 - called at once
        say(f"Asking {', '.join(door.name for door in opened)} by turns")
        cost = doors.measure(generator, opened, requests=options.requests)
        doors.print_tables(cost)
        say(f"Opening {options.streams} streams")
        pooled = stage.serve(
            "pooled",
            PLATFORM,
            asgi_loop=options.asgi_loop,
            environ={"DATABASE_POOL_SIZE": str(open_streams.POOL)},
        )
        stage.wait_until("pooled", lambda: generator.answers(doors.native(pooled, key)))
        streams = open_streams.measure(generator, pooled, key, streams=options.streams)
        open_streams.print_table(streams)
        say(f"Making {options.keys:,} keys and {options.records:,} records")
        grown = growth.measure(
            stage,
            generator,
            key,
            databases=databases,
            sizes=growth.Sizes(keys=options.keys, records=options.records),
            requests=options.requests,
            asgi_loop=options.asgi_loop,
        )
        growth.print_table(grown)
    return {
        "doors": doors.figures(cost),
        "open_streams": streams.figures(),
        "growth": grown.figures(),
        "verdicts": _verdicts(cost, streams, grown),
    }


def _verdicts(
    cost: doors.Cost, streams: open_streams.OpenStreams, grown: growth.Growth
) -> dict[str, bool | None]:
    """`None` where it was not measured."""
    worst = max(cells["lean"].cpu_ms for cells in cost.values())
    litellm = cost[1].get("litellm")
    times = litellm.cpu_ms / cost[1]["lean"].cpu_ms if litellm else None
    return {
        "lean_cpu_at_most_2_ms": worst <= MAX_CPU_MS,
        "lean_added_p50_at_most_3_ms": doors.added_p50_ms(cost, "lean") <= MAX_ADDED_P50_MS,
        "six_times_less_cpu_than_litellm": None if times is None else times >= MIN_TIMES_LITELLM,
        "streams_all_whole_first_byte_p95_under_500_ms": streams.holds,
        "cost_does_not_grow": grown.holds,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
