"""Two texts compared as they are spoken: the word error rate that a fair listener would give."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gpu_worker.text.normalization import normalize

_WORD: Final = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")
_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"})
_TITLES: Final = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "st": "saint",
    "vs": "versus",
    "ok": "okay",
}
_WHOLE: Final = {"can't": "can not", "cannot": "can not", "won't": "will not", "let's": "let us"}
_ENDINGS: Final = (
    ("n't", " not"), ("'m", " am"), ("'re", " are"), ("'ll", " will"), ("'ve", " have"), ("'s", " s"),
    ("'d", " d"),
)  # fmt: skip
_NOT_HEARD: Final = {"uh", "um", "uhm", "hmm", "mm", "er", "ah"}
# More is no prompt, and comparing takes the product of both lengths.
_MAX_WORDS: Final = 400
_MAX_CHARACTERS: Final = 4_000


def spoken_words(text: str) -> list[str]:
    """English as words: numbers, titles and contractions written out, hyphens and signs gone."""
    plain = unicodedata.normalize("NFKD", normalize(text[:_MAX_CHARACTERS].translate(_APOSTROPHES)).text)
    words: list[str] = []
    for word in _WORD.findall(plain.encode("ascii", "ignore").decode().lower().replace("-", " ")):
        words += _written_out(word)
    return [word for word in words if word not in _NOT_HEARD][:_MAX_WORDS]


def _written_out(word: str) -> list[str]:
    if word in _WHOLE:
        return _WHOLE[word].split()
    for ending, meant in _ENDINGS:
        if word.endswith(ending):
            return (word.removesuffix(ending) + meant).split()
    return [_TITLES.get(word, word)]


def word_error_rate(wanted: list[str], heard: list[str]) -> float:
    """Words to change, add and leave out, over those wanted: 0 is perfect, over 1 possible.

    Words written together in one text and apart in the other ('log in', 'login') are no error.
    """
    if not wanted:
        return 0.0 if not heard else 1.0
    costs = [list(range(len(heard) + 1))]
    for row, word in enumerate(wanted, 1):
        line = [row]
        for column, other in enumerate(heard, 1):
            best = min(
                costs[row - 1][column] + 1, line[column - 1] + 1, costs[row - 1][column - 1] + (word != other)
            )
            if row > 1 and wanted[row - 2] + word == other:
                best = min(best, costs[row - 2][column - 1])
            if column > 1 and heard[column - 2] + other == word:
                best = min(best, costs[row - 1][column - 2])
            line.append(best)
        costs.append(line)
    return costs[-1][-1] / len(wanted)
