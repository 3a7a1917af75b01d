"""English as it is said, against pairs written by hand; `make bench-text` prints the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.text_corpus import Miss, Pair, Score, fold, read_corpus, readings, score
from gpu_worker.text.normalization import normalize

CORPUS = Path(__file__).parent / "corpus"
SHARE_OF_ALL = 0.95
SHARE_OF_A_CLASS = 0.85
PAIRS_OF_ALL = 400
PAIRS_OF_A_CLASS = 20
CLASSES = frozenset(
    (
        "cardinals",
        "ordinals",
        "decimals",
        "negatives",
        "fractions",
        "percent",
        "money",
        "dates",
        "years",
        "times",
        "durations",
        "measures",
        "ranges",
        "scores",
        "telephone",
        "emails",
        "urls",
        "ip_addresses",
        "versions",
        "file_names",
        "roman",
        "titles",
        "abbreviations",
        "acronyms",
        "serials",
        "symbols",
        "arithmetic",
        "hashtags_and_handles",
        "emoji",
        "markdown",
        "plain",
        "mixed",
    )
)


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[Pair]]:
    return read_corpus(CORPUS)


@pytest.fixture(scope="module")
def scores(corpus: dict[str, list[Pair]]) -> dict[str, Score]:
    return {name: score(pairs, lambda text: normalize(text).text) for name, pairs in corpus.items()}


def _listed(misses: Iterable[Miss]) -> str:
    lines = (f"{miss.pair.written!r}\n  not {miss.got!r} but {miss.pair.spoken!r}" for miss in misses)
    return "\n".join(("", *lines))


def test_every_class_has_pairs(corpus: dict[str, list[Pair]]) -> None:
    assert corpus.keys() == CLASSES
    assert {name: len(pairs) for name, pairs in corpus.items() if len(pairs) < PAIRS_OF_A_CLASS} == {}
    assert sum(map(len, corpus.values())) >= PAIRS_OF_ALL


def test_no_text_is_written_twice(corpus: dict[str, list[Pair]]) -> None:
    times = Counter(pair.written for pairs in corpus.values() for pair in pairs)
    assert [written for written, count in times.items() if count > 1] == []


def test_nearly_everything_is_said_as_expected(scores: dict[str, Score]) -> None:
    misses = [miss for one in scores.values() for miss in one.misses]
    share = 1 - len(misses) / sum(one.total for one in scores.values())
    assert share >= SHARE_OF_ALL, f"{share:.3f} of all pairs are right{_listed(misses)}"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_no_class_falls_behind(scores: dict[str, Score], name: str) -> None:
    one = scores[name]
    assert one.share >= SHARE_OF_A_CLASS, f"{one.share:.3f} of {name} are right{_listed(one.misses)}"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Twenty-one, and  counting…", "twenty one counting"),
        ("It’s six o'clock (P. M.)!", "its six oclock p m"),
        ("“Sandy” and “band”", "sandy band"),
        ("a\nb", "a b"),
    ],
)
def test_folding_takes_what_is_not_heard(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("symbol", "$€%&@#*_/\\+=<>~^°|`−²🎉")
def test_folding_keeps_symbols(symbol: str) -> None:
    assert fold(f"a {symbol} b") != fold("a b")


def test_choices_are_made_in_every_way() -> None:
    assert readings("{one|a} half {of {it|them} |}now") == {
        "one half of it now",
        "one half of them now",
        "one half now",
        "a half of it now",
        "a half of them now",
        "a half now",
    }
