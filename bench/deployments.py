"""`python -m bench.deployments`: how fast deployments come, wake and grow, and how many can be looked after.

Starts the platform as `make run` does and asks it through its public API alone:

- from the call that makes a deployment to ready, and from one that sleeps to its first byte of speech;
- requests a second of a paced deployment with one replica and with three, and how long that step takes;

then Celery beside a stand-in of Verda with a thousand deployments, of which some are moving:

- how long one pass over all of them takes, and how many calls to Verda it makes.

The last line is JSON. The exit status is 0 whatever the figures say: a bench, not a test.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bench import deployment_scaling, deployment_starts, reconciling
from bench.errors import BenchError
from bench.facts import facts
from bench.generator import LoadGenerator
from bench.management import Management
from bench.report import last_line, say
from bench.stage import CHECKOUT, on_stage


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
    last_line({"bench": "deployments", **about, **figures})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.deployments", description="How fast deployments come, wake and grow."
    )
    parser.add_argument("--rounds", type=int, default=5, help="starts, wakes and passes of each kind (5)")
    parser.add_argument("--seconds", type=float, default=10.0, help="one round of load (10)")
    parser.add_argument("--deployments", type=int, default=1000, help="at Verda's stand-in (1000)")
    parser.add_argument("--moving", type=int, default=20, help="of them, those that are starting (20)")
    parser.add_argument("--only", choices=tuple(_PARTS), default="", help="one part alone")
    return parser


def _on_this_machine(options: argparse.Namespace) -> dict[str, object]:
    with on_stage() as stage, LoadGenerator(CHECKOUT) as generator:
        say("Starting the platform as make run does")
        stage.start_services()
        stage.set_up(VOICEFLOW_ENV="development")
        told = {"scale_up_delay_seconds": deployment_scaling.DELAY_SECONDS}
        made = json.loads(stage.run_module("bench.deployments_seed", told))
        platform = stage.start_platform(**deployment_scaling.PACE)
        api = Management(platform.url, made["key"])
        say("Making, waking and deleting deployments")
        starts = deployment_starts.measure(generator, api, rounds=options.rounds)
        say("Asking one that grows")
        scaled = deployment_scaling.measure(generator, api, made["tone"], seconds=options.seconds)
    deployment_starts.print_tables(starts)
    deployment_scaling.print_tables(scaled)
    return {
        **starts.figures(),
        "scaling": scaled.figures(),
        "verdicts": {
            "ready_under_10_s": max(starts.ready) < deployment_starts.MAX_READY_SECONDS,
            "wakes_under_8_s": max(starts.wake) < deployment_starts.MAX_WAKE_SECONDS,
            "three_replicas_speak_more": scaled.ratio > 1,
        },
    }


def _at_verda(options: argparse.Namespace) -> dict[str, object]:
    say("Starting Celery beside a stand-in of Verda")
    passes = reconciling.measure(
        deployments=options.deployments, moving=options.moving, rounds=options.rounds
    )
    reconciling.print_tables(passes)
    return passes.figures()


_PARTS = {"local": _on_this_machine, "verda": _at_verda}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
