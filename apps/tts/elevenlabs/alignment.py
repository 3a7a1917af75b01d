"""When each character is spoken: the worker's marks, and a guess of what lies between two of them.

An engine that knows when each word ends sends a mark for it: only within a word times are a guess. Of the
others the ends of pieces are known, which are sentences as a rule; between those the time is divided by what
is really said (`pacing`), after the pause that workers leave before a piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from apps.tts.elevenlabs.pacing import Pacing

# From a piece's mark to the first sound of the next one, at speed 1, by what ends the piece.
_PARAGRAPH_SECONDS: Final = 0.59
_SENTENCE_SECONDS: Final = 0.29
_CLAUSE_SECONDS: Final = 0.12
_SENTENCE_ENDS: Final = tuple(".!?…。！？।؟۔\"'”’»)]」』）")
_CLAUSE_ENDS: Final = tuple(",;:—–，；：、،؛")


@dataclass(slots=True)
class Alignment:
    """Characters with the seconds at which each begins and ends, as parallel lists."""

    characters: list[str] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def add(self, characters: str, shares: Sequence[float], start: float, end: float) -> None:
        """Divides [start, end] among the characters by their shares, evenly where none has any."""
        total = sum(shares)
        if total <= 0:
            shares, total = [1.0] * len(characters), float(len(characters))
        at, done = start, 0.0
        for character, share in zip(characters, shares, strict=True):
            done += share
            self.characters.append(character)
            self.starts.append(_rounded(at))
            at = min(start + done / total * (end - start), end)
            self.ends.append(_rounded(at))

    def since(self, index: int) -> Alignment:
        return Alignment(self.characters[index:], self.starts[index:], self.ends[index:])

    def body(self) -> dict[str, Any]:
        return {
            "characters": self.characters,
            "character_start_times_seconds": self.starts,
            "character_end_times_seconds": self.ends,
        }


class Aligner:
    """Follows one stream: tell it the marks in their order, then `finish`.

    `written` is of the caller's text, and covers it in the end; `said` is of what is spoken in its place.
    Times count from the beginning of the audio and never go back. `word_times` says that marks end words.
    """

    def __init__(self, text: str, pacing: Pacing, *, speed: float = 1.0, word_times: bool = False) -> None:
        self.written = Alignment()
        self.said = Alignment()
        self._text = text
        self._pacing = pacing
        # Pauses follow the speed within these bounds.
        self._speed = min(max(speed, 0.5), 2.0)
        self._word_times = word_times
        self._seconds = 0.0
        self._pause = 0.0
        self._stretch = 0

    def mark(self, *, source_to: int, audio_ms: int) -> None:
        """All of the text before `source_to` is spoken by then."""
        start, stop = len(self.written.characters), min(source_to, len(self._text))
        began, ended = self._seconds, max(audio_ms / 1000, self._seconds)
        self._seconds = ended
        if start >= stop:
            return
        began += min(self._pause, (ended - began) / 2)
        self._write(start, stop, began, ended)
        self._pause = 0.0 if self._word_times else self._pause_after(start, stop) / self._speed
        self._say()

    def finish(self, audio_ms: int) -> None:
        """The audio ends here, and with it the last character."""
        self.mark(source_to=len(self._text), audio_ms=audio_ms)
        if self.written.ends:
            self.written.ends[-1] = max(self.written.ends[-1], _rounded(audio_ms / 1000))

    def _write(self, start: int, stop: int, began: float, ended: float) -> None:
        """Silences that were asked for last as long as they do; what is left of the time is speech."""
        silences, weights = self._pacing.silences[start:stop], self._pacing.weights[start:stop]
        silent, weighed = sum(silences), sum(weights)
        scale = (ended - began - silent) / weighed if weighed else 0.0
        if silent and scale <= 0 < weighed:
            silences, scale = [0.0] * len(silences), 1.0
        shares = [silence + weight * scale for silence, weight in zip(silences, weights, strict=True)]
        self.written.add(self._text[start:stop], shares, began, ended)

    def _pause_after(self, start: int, stop: int) -> float:
        """At speed 1; none where the caller asked for a silence of his own."""
        piece = self._text[start:stop]
        words = piece.rstrip()
        if any(self._pacing.silences[start + len(words) - 1 : stop]):
            return 0.0
        if piece.count("\n", len(words)) > 1:
            return _PARAGRAPH_SECONDS
        if words.endswith(_SENTENCE_ENDS) or "\n" in piece[len(words) :]:
            return _SENTENCE_SECONDS
        return _CLAUSE_SECONDS if words.endswith(_CLAUSE_ENDS) else 0.0

    def _say(self) -> None:
        """Brings `said` up to what `written` has reached."""
        stretches, known = self._pacing.spoken.stretches, len(self.written.characters)
        while self._stretch < len(stretches):
            stretch = stretches[self._stretch]
            if stretch.verbatim:
                done = len(self.said.characters) - stretch.spoken_from
                start, stop = stretch.source_from + done, min(stretch.source_to, known)
                self.said.characters += self._text[start:stop]
                self.said.starts += self.written.starts[start:stop]
                self.said.ends += self.written.ends[start:stop]
            elif stretch.source_to <= known:
                self.said.add(
                    self._pacing.spoken.text[stretch.spoken_from : stretch.spoken_to],
                    self._pacing.said_weights[stretch.spoken_from : stretch.spoken_to],
                    self.written.starts[stretch.source_from],
                    self.written.ends[stretch.source_to - 1],
                )
            if stretch.source_to > known:
                return
            self._stretch += 1


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
