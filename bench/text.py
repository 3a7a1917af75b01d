"""`python -m bench.text`: how often English is said as a careful reader would say it, and in what time.

Prints, for each class of the corpus, how many pairs are right after folding case, hyphens, 'and', sentence
punctuation and spaces. The last line is JSON; the exit status is 0 whatever the figures say.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.facts import facts
from bench.figures import median, percentile, rounded
from bench.report import last_line, say, table
from bench.stage import CHECKOUT
from bench.text_corpus import Pair, Score, read_corpus, score
from gpu_worker.text.normalization import normalize

CORPUS = CHECKOUT / "tests" / "gpu_worker" / "text" / "corpus"
# Whole sentences as people send them, several classes in each: what "a usual sentence" is timed on.
USUAL = "mixed"


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    about = facts(CHECKOUT)
    try:
        corpus = read_corpus(options.corpus)
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    scores = {name: score(pairs, _spoken) for name, pairs in corpus.items()}
    times = {name: _microseconds(pairs, options.rounds) for name, pairs in corpus.items()}
    if options.misses:
        _print_misses(scores)
    _print_table(scores, times)
    usual = times.get(USUAL) or _together(times)
    right, total = _sum(scores)
    figures = {
        "pairs": total,
        "right": right,
        "share": right / total,
        "classes": {name: rounded({"share": one.share, "total": one.total}) for name, one in scores.items()},
        "usual_sentence": rounded({"p50_us": median(usual), "p95_us": percentile(usual, 95)}),
    }
    last_line({"bench": "text", **about, **rounded(figures)})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.text", description="English made speakable.")
    parser.add_argument("--misses", action="store_true", help="show each miss: written, expected and got")
    parser.add_argument("--rounds", type=int, default=5, help="times that each text is timed (5)")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="a folder of pairs (the tests' own)")
    return parser


def _spoken(text: str) -> str:
    return normalize(text).text


def _microseconds(pairs: Sequence[Pair], rounds: int) -> list[float]:
    """What each text took, `rounds` times; the scoring before it has warmed up."""
    taken: list[float] = []
    for _ in range(rounds):
        for pair in pairs:
            started = time.perf_counter_ns()
            normalize(pair.written)
            taken.append((time.perf_counter_ns() - started) / 1000)
    return taken


def _together(times: Mapping[str, Sequence[float]]) -> list[float]:
    return [taken for one in times.values() for taken in one]


def _sum(scores: Mapping[str, Score]) -> tuple[int, int]:
    return sum(one.right for one in scores.values()), sum(one.total for one in scores.values())


def _print_table(scores: Mapping[str, Score], times: Mapping[str, Sequence[float]]) -> None:
    rows: list[tuple[object, ...]] = [
        (name, one.right, one.total, one.share, median(times[name]), percentile(times[name], 95))
        for name, one in scores.items()
    ]
    right, total = _sum(scores)
    everything = _together(times)
    rows.append(("all", right, total, right / total, median(everything), percentile(everything, 95)))
    table(
        "Said as expected; time of one text in µs", ("class", "right", "total", "share", "p50", "p95"), rows
    )


def _print_misses(scores: Mapping[str, Score]) -> None:
    for name, one in scores.items():
        for miss in one.misses:
            print(f"\n{name}: {miss.pair.written!r}")
            print(f"  expected {miss.pair.spoken!r}")
            print(f"  got      {miss.got!r}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
