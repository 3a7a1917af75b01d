"""How long a text takes to speak, guessed from its characters."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from gpu_worker.text.squeezing import is_dense

# Fitted to 15 characters a second of English: words cost a little whatever their length, so that letters
# that are spelled take the time they take.
_LETTER_SECONDS: Final = 0.04
_SPACE_SECONDS: Final = 0.2
_DIGIT_SECONDS: Final = 0.4
_DENSE_SECONDS: Final = 0.2


def expected_seconds(text: str) -> float:
    """How long a text takes at the voice's own pace."""
    return sum(map(_seconds, text))


class Clock:
    """The expected duration of every slice of one text, in seconds."""

    def __init__(self, text: str) -> None:
        self._until = [0.0, *accumulate(map(_seconds, text))]

    def seconds(self, start: int, stop: int) -> float:
        """How long text[start:stop] takes."""
        return self._until[stop] - self._until[start]

    def furthest(self, start: int, seconds: float) -> int:
        """The last index to which one comes from `start` in that time."""
        return bisect_right(self._until, self._until[start] + seconds, start) - 1

    def latest(self, stop: int, seconds: float) -> int:
        """The last index from which it takes at least that time to `stop`; below zero where none does."""
        return bisect_right(self._until, self._until[stop] - seconds, 0, stop) - 1


def _seconds(character: str) -> float:
    if character <= " ":
        return _SPACE_SECONDS
    if character.isdigit():
        return _DIGIT_SECONDS
    return _DENSE_SECONDS if is_dense(character) else _LETTER_SECONDS
