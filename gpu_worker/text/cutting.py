"""Where a sentence that is too long for one piece is cut: at a clause, else at a word, else anywhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, Literal

from gpu_worker.text.timing import Clock

# A shorter text comes out of a neural engine as gibberish: about 22 characters of English.
SHORT_SECONDS: Final = 1.5

Ending = Literal["word", "clause", "sentence", "paragraph"]

_STRONG_CLAUSE: Final = re.compile(
    r"[;:!?…—–؛؟][\"'”’»)\]]?\s|[；！？。…—][」』”’）]?\s?|：(?![0-9０-９])\s?"
)
_CLAUSE: Final = re.compile(
    r"(?:,(?!\s[0-9])|[،)\]”»])[\"'”’»)\]]?\s|\s(?=[-–—(\[“«]\S)|[，、](?![0-9０-９])\s?"
)
_CONJUNCTION: Final = re.compile(
    r"\s(?=(?:and|but|or|so|because|although|which|who|that|when|while|where|if|than|then)\s)"
)
_SPACE: Final = re.compile(r"\s(?!(?<=[0-9]\s)[0-9])")
_ANY_SPACE: Final = re.compile(r"\s")
_CLAUSE_LEVELS: Final = (_STRONG_CLAUSE, _CLAUSE)
_WORD_LEVELS: Final = (_CONJUNCTION, _SPACE)
_JOINERS: Final = "\u200c\u200d"
_CUT_ATTEMPTS: Final = 64
_LOOKAHEAD: Final = 16


class Cutter:
    """Cuts slices of one text. `is_whole` tells of an index whether what is on its two sides is one thing."""

    def __init__(
        self,
        text: str,
        clock: Clock,
        is_whole: Callable[[int], bool],
        max_characters: int,
        max_seconds: float,
    ) -> None:
        self._text = text
        self._clock = clock
        self._is_whole = is_whole
        self._max_characters = max_characters
        self._max_seconds = max_seconds

    def fits(self, start: int, stop: int) -> bool:
        """Whether text[start:stop] is one piece."""
        return stop - start <= self._max_characters and self._clock.seconds(start, stop) <= self._max_seconds

    def cuts(self, start: int, stop: int) -> Iterator[tuple[int, Ending]]:
        """Where text[start:stop] is cut, and what ends there; nothing where it fits."""
        while not self.fits(start, stop):
            start, ending = self._cut(start, stop)
            yield start, ending

    def first_clause(self, start: int, stop: int, least_seconds: float) -> int | None:
        """The end of the first clause that takes at least that long and leaves nothing short behind it."""
        least = self._clock.furthest(start, least_seconds)
        latest = self._clock.latest(stop, SHORT_SECONDS)
        firsts = (next(self._ends(level, least, latest), None) for level in _CLAUSE_LEVELS)
        return min((end for end in firsts if end is not None), default=None)

    def _cut(self, start: int, stop: int) -> tuple[int, Ending]:
        furthest = self._clock.furthest(start, self._max_seconds)
        furthest = max(min(start + self._max_characters, furthest, stop - 1), start + 1)
        latest = min(furthest, max(self._clock.latest(stop, SHORT_SECONDS), start + 1))
        third = start + (furthest - start) // 3
        for level in _CLAUSE_LEVELS:
            if end := max(self._ends(level, third, latest), default=0):
                return end, "clause"
        for level in _WORD_LEVELS:
            if end := max(self._ends(level, third, latest), default=0):
                return end, "word"
        for level in (_SPACE, _ANY_SPACE):
            if end := max(self._ends(level, start, furthest), default=0):
                return end, "word"
        return self._anywhere(start, furthest), "word"

    def _ends(self, level: re.Pattern[str], start: int, stop: int) -> Iterator[int]:
        """Ends of matches after `start` and up to `stop`, where a cut may fall."""
        for match in level.finditer(self._text, start, stop + _LOOKAHEAD):
            if match.end() > stop:
                return
            if match.end() > start and not self._is_whole(match.end()):
                yield match.end()

    def _anywhere(self, start: int, furthest: int) -> int:
        """Between two characters that do not belong together, else as far on as the limits allow."""
        for index in range(furthest, max(start, furthest - _CUT_ATTEMPTS), -1):
            if not self._is_whole(index) and not _belong_together(*self._text[index - 1 : index + 1]):
                return index
        # One rewritten stretch, or one word, is longer than a piece.
        if (space := self._text.rfind(" ", start, furthest)) > start:
            return space + 1
        for index in range(furthest, max(start, furthest - _CUT_ATTEMPTS), -1):
            if not _is_extending(self._text[index]):
                return index
        return furthest


def _belong_together(before: str, after: str) -> bool:
    if _is_extending(after) or before in _JOINERS:
        return True
    return before.isascii() and after.isascii() and before.isalnum() and after.isalnum()


def _is_extending(character: str) -> bool:
    """Whether it only changes the character before it."""
    return character in _JOINERS or unicodedata.category(character).startswith("M")
