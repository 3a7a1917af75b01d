"""`python -m bench.quality`: what the checks of recordings catch, and what they cost.

On real speech (SPEECH_DIR, a folder as `bench.speech_samples` makes; without, it makes one under var/): every
clip as a browser records it, and damaged in each way that contributors meet. Caught is what is rejected or
sent to review; a clean clip should be accepted. Beside it the gate that most would start with: peak, RMS and
length. Damaged copies are of English clips, since the transcript is checked in English alone; clean ones in
other languages are judged without it. Recordings that were trimmed get 0.3 s of their room back.

The last line is JSON. The exit status is 0 whatever the figures say: a bench, not a test.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from apps.contributions.quality import Verdict
from bench import quality_cases
from bench.errors import BenchError
from bench.facts import facts
from bench.figures import rounded
from bench.quality_cases import Outcome
from bench.quality_likeness import prints, voices
from bench.quality_sound import RATE, as_browser, decoded, with_margins
from bench.report import last_line, say, table
from bench.speech_samples import Sample, prepare, samples_in
from bench.stage import CHECKOUT

MAX_CPU_SECONDS = 2.0
MAX_RSS_MB = 1000.0


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    about = facts(CHECKOUT)
    try:
        folder = _speech_folder()
        samples = samples_in(folder)
        outcomes = _examined(samples, options)
        costs = {f"{seconds}_s": _cost(samples, seconds, options.rounds) for seconds in (7, 30)}
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    figures, more = _caught(outcomes), _more(outcomes)
    _print(figures, outcomes, more, costs)
    if options.misses:
        _print_misses(outcomes)
    told = {"caught": figures, **more, "cost": costs, "verdicts": _verdicts(costs)}
    last_line({"bench": "quality", **about, **told})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description="What is caught.")
    parser.add_argument("--clean", type=int, default=60, help="clean clips of each language at most (60)")
    parser.add_argument("--clips", type=int, default=21, help="English clips that are damaged (21)")
    parser.add_argument("--rounds", type=int, default=7, help="times that a clip's cost is measured (7)")
    parser.add_argument("--misses", action="store_true", help="show each clip that was judged wrongly")
    return parser


def _speech_folder() -> Path:
    if named := os.environ.get("SPEECH_DIR"):
        return Path(named)
    folder = CHECKOUT / "var" / "bench" / "speech"
    if not folder.exists():
        prepare(folder)
    return folder


def _examined(samples: Sequence[Sample], options: argparse.Namespace) -> list[Outcome]:
    cases = quality_cases.plan(samples, clean=options.clean, damaged=options.clips)
    say(f"Examining {len(cases)} clips")
    outcomes: list[Outcome] = []
    # Not forked: models' threads do not survive that.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for count, outcome in enumerate(pool.map(quality_cases.examined, cases), 1):
            outcomes.append(outcome)
            if count % 50 == 0:
                say(f"  {count}")
    return outcomes


def _caught(outcomes: Sequence[Outcome]) -> dict[str, dict[str, object]]:
    figures: dict[str, dict[str, object]] = {}
    for name in dict.fromkeys(outcome.damage for outcome in outcomes):
        of_it = [outcome for outcome in outcomes if outcome.damage == name]
        verdicts = Counter(outcome.verdict for outcome in of_it)
        accepted, target = verdicts[Verdict.ACCEPT], quality_cases.TARGETS[name]
        is_clean = name == quality_cases.CLEAN
        right = (accepted if is_clean else len(of_it) - accepted) / len(of_it)
        figures[name] = rounded(
            {
                "clips": len(of_it),
                "rejected": verdicts[Verdict.REJECT],
                "review": verdicts[Verdict.REVIEW],
                "accepted": accepted,
                "right": right,
                "target": target,
                "reached": right >= target,
                "peak_and_rms": sum(one.baseline_accepts == is_clean for one in of_it) / len(of_it),
            }
        )
    return figures


def _more(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Background MOS by damage, the nearest other clip's bit errors, and how alike voices are."""
    heard: dict[str, list[float]] = {}
    for one in outcomes:
        if one.background is not None:
            heard.setdefault(one.damage, []).append(one.background)
    mos = {
        name: [round(float(value), 2) for value in np.percentile(found, [5, 50, 95])]
        for name, found in heard.items()
    }
    return {
        "background_mos_p5_p50_p95": mos,
        "fingerprints": rounded(prints(outcomes)),
        "voices": rounded(voices(outcomes)),
    }


def _verdicts(costs: dict[str, dict[str, object]]) -> dict[str, bool]:
    cpu_seconds, peak_mb = costs["7_s"]["cpu_seconds"], costs["30_s"]["peak_rss_mb"]
    assert isinstance(cpu_seconds, float)
    assert isinstance(peak_mb, float)
    return {"7_s_under_2_cpu_s": cpu_seconds < MAX_CPU_SECONDS, "under_1_gb": peak_mb < MAX_RSS_MB}


def _cost(samples: Sequence[Sample], seconds: int, rounds: int) -> dict[str, object]:
    """In a process that has only this to do; the clip is made of as many recordings as it takes."""
    say(f"Measuring what {seconds} s cost")
    english = [sample for sample in samples if sample.language == "en"]
    joined = np.concatenate([decoded(one.path.read_bytes(), RATE) for one in english[:12]])[: seconds * RATE]
    text = " ".join(one.text for one in english[:3])
    with tempfile.NamedTemporaryFile(suffix=".webm") as file:
        file.write(as_browser(with_margins(joined[: -RATE // 2], 1)))
        file.flush()
        command = [sys.executable, "-m", "bench.quality_cost", file.name, text, str(rounds)]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(done.stderr[-500:])
    return rounded(json.loads(done.stdout))


def _print(
    figures: dict[str, dict[str, object]],
    outcomes: Sequence[Outcome],
    more: dict[str, dict[str, Any]],
    costs: dict[str, dict[str, object]],
) -> None:
    head = ("", "clips", "rejected", "review", "accepted", "right", "target", "peak and RMS alone")
    names = ("clips", "rejected", "review", "accepted", "right", "target", "peak_and_rms")
    rows = [(name, *(figure[key] for key in names)) for name, figure in figures.items()]
    table("Right: accepted where clean, rejected or sent to review where damaged", head, rows)
    clean = [one for one in outcomes if one.damage == quality_cases.CLEAN]
    against = Counter(name for one in clean for name in one.complaints)
    table("What stood against clean clips", ("measure", "clips"), list(against.items()))
    mos = [(name, *values) for name, values in more["background_mos_p5_p50_p95"].items()]
    table("Background MOS", ("", "p5", "p50", "p95"), mos)
    for name in ("fingerprints", "voices"):
        table(name.capitalize(), ("", "figure"), list(more[name].items()))
    keys = ("cpu_seconds", "cpu_seconds_max", "first_cpu_seconds", "wall_seconds", "peak_rss_mb")
    table(
        "Cost of one clip",
        ("", *keys),
        [(name, *(cost[key] for key in keys)) for name, cost in costs.items()],
    )


def _print_misses(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes:
        if (one.verdict is Verdict.ACCEPT) != (one.damage == quality_cases.CLEAN):
            print(f"{one.damage}: {one.text!r}: {one.told}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
