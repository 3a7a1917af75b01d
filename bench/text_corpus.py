"""Written texts with what a careful reader of American English says, and how an answer is held against it.

A corpus is a folder with one `<class>.tsv` for each class; a line is `written<TAB>spoken`. `⏎` stands for a
line break, `{a|b}` in the spoken text for either of both (also nested, also empty), and a line that begins
with `;; ` is a remark.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import BenchError

_REMARK: Final = ";; "
_LINE_BREAK: Final = "⏎"
_CHOICE: Final = re.compile(r"\{([^{}]*)\}")
_APOSTROPHES: Final = "'‘’"
# Hyphens and the punctuation of sentences only: a symbol that was left unspoken must not be folded away.
_PUNCTUATION: Final = '.,;:!?…"“”„()[]-‐‑–—'
_FOLDED: Final = str.maketrans(
    {**dict.fromkeys(_APOSTROPHES, ""), **dict.fromkeys(_PUNCTUATION, " ")},
)


@dataclass(frozen=True, slots=True)
class Pair:
    """`readings` are all the right answers, folded; `spoken` is how the corpus writes them."""

    written: str
    spoken: str
    readings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Miss:
    pair: Pair
    got: str


@dataclass(frozen=True, slots=True)
class Score:
    """How many of the pairs of a class are said as one of their readings."""

    total: int
    misses: tuple[Miss, ...]

    @property
    def right(self) -> int:
        return self.total - len(self.misses)

    @property
    def share(self) -> float:
        return self.right / self.total


def fold(text: str) -> str:
    """Small letters, single spaces, and neither hyphens, sentence punctuation, apostrophes nor 'and'."""
    words = unicodedata.normalize("NFC", text).casefold().translate(_FOLDED).split()
    return " ".join(word for word in words if word != "and")


def readings(spoken: str) -> frozenset[str]:
    """Every text that `spoken` stands for once its choices are made, folded."""
    choice = _CHOICE.search(spoken)
    if choice is None:
        return frozenset({fold(spoken)})
    before, after = spoken[: choice.start()], spoken[choice.end() :]
    return frozenset().union(*(readings(before + chosen + after) for chosen in choice[1].split("|")))


def read_corpus(folder: Path) -> dict[str, list[Pair]]:
    """The pairs of each class, in the order of the files. BenchError where a line is not a pair."""
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise BenchError(f"There are no .tsv files in {folder}.")
    return {file.stem: _read(file) for file in files}


def score(pairs: Sequence[Pair], normalize: Callable[[str], str]) -> Score:
    answers = [Miss(pair, normalize(pair.written)) for pair in pairs]
    return Score(len(pairs), tuple(one for one in answers if fold(one.got) not in one.pair.readings))


def _read(file: Path) -> list[Pair]:
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = [
        _pair(line, f"{file}:{number}")
        for number, line in enumerate(lines, start=1)
        if line and not line.startswith(_REMARK)
    ]
    if not pairs:
        raise BenchError(f"{file} has no pairs.")
    return pairs


def _pair(line: str, place: str) -> Pair:
    fields = line.split("\t")
    if len(fields) != 2 or not all(fields):
        raise BenchError(f"{place}: a pair is a written text, one tab and a spoken text.")
    written, spoken = (field.replace(_LINE_BREAK, "\n") for field in fields)
    if spoken.count("{") != spoken.count("}"):
        raise BenchError(f"{place}: a choice is written {{a|b}}, and one of its braces is missing.")
    return Pair(written, spoken, readings(spoken))
