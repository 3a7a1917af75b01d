"""`python -m bench.platform`: what the platform adds to its speech worker. Needs nothing that runs already.

Starts PostgreSQL, Redis, a real CPU worker and the speech server as `make run` starts it, and prints:

- the worker asked directly and through the platform, by turns: first audio, total time, requests a second;
- the CPU time of the speech process for each request, against a worker that answers at once, beside that of
  an empty Django view and of a bare pass-through under the same server.

The last line is JSON. The exit status is 0 whatever the figures say: a bench, not a test.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import gateway, speech
from bench.errors import BenchError
from bench.facts import facts
from bench.generator import LoadGenerator
from bench.report import last_line, say
from bench.stage import CHECKOUT, on_stage

MAX_FIRST_AUDIO_MS = 150.0
MAX_CPU_MS = 7.0


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
    last_line({"bench": "platform", **about, "asgi_loop": _loop(options.asgi_loop), **figures})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.platform", description="Speed of the platform.")
    parser.add_argument("--requests", type=int, default=300, help="requests behind each CPU figure (300)")
    parser.add_argument("--pairs", type=int, default=40, help="pairs behind the first-audio figures (40)")
    parser.add_argument("--seconds", type=float, default=2.0, help="one round of 4 clients (2)")
    parser.add_argument("--asgi-loop", default="auto", choices=("auto", "asyncio", "uvloop"))
    parser.add_argument(
        "--against", type=Path, help="another checkout, whose speech process is measured by turns with ours"
    )
    return parser


def _loop(chosen: str) -> str:
    """What gunicorn takes for `auto`."""
    if chosen != "auto":
        return chosen
    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"


def _measured(options: argparse.Namespace) -> dict[str, object]:
    with ExitStack() as stack:
        stage = stack.enter_context(on_stage())
        generator = stack.enter_context(LoadGenerator(CHECKOUT))
        say("Starting PostgreSQL, Redis and two workers")
        stage.start_services()
        worker, instant = stage.start_cpu_worker(), stage.start_instant_worker()
        say("Making the database")
        key = stage.seed([worker, instant])
        say("Starting the speech server and what it is compared with")
        servers = gateway.Servers.start(stage, instant, options.asgi_loop, options.against)
        servers.wait_until_up(stage, generator, key, models=(speech.MODEL, gateway.MODEL))
        say("Asking the worker directly and through the platform")
        through = speech.measure(
            generator, worker, servers.platform, key, pairs=options.pairs, seconds=options.seconds
        )
        say("Asking a worker that answers at once")
        cost = gateway.measure(generator, servers, key, requests=options.requests)
    speech.print_tables(through)
    gateway.print_tables(cost)
    first_audio_ms = through.platform.first_audio_p50_ms
    cpu_ms = cost.worst_cpu_ms
    return {
        "speech": through.figures(),
        "gateway": cost.figures(),
        "verdicts": {
            "first_audio_p50_under_150_ms": first_audio_ms < MAX_FIRST_AUDIO_MS,
            "cpu_per_request_at_most_7_ms": cpu_ms <= MAX_CPU_MS,
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
