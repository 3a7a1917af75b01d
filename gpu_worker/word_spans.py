"""Where the words that an engine speaks stand in the caller's text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gpu_worker.text import Piece, Spoken

# From the end of a word in a piece's text to the end of what it speaks in the caller's text.
WordStops = Mapping[int, int]

_WORD: Final = re.compile(r"\S+")
# Between two words lies seldom more than a blank; only then all of the rest is searched.
_NEAR_CHARACTERS: Final = 400


def word_stops(pieces: Sequence[Piece], spoken: Spoken) -> list[WordStops]:
    """The words of each piece that end what was written, such as the last one of a number.

    The ends in the caller's text rise, and stay within the piece's span.
    """
    stops: list[WordStops] = []
    cursor = source_to = 0
    for piece in pieces:
        found: dict[int, int] = {}
        for match in _WORD.finditer(piece.text):
            at = _find(spoken.text, match[0], cursor)
            if at >= 0:
                cursor = at + len(match[0])
                source_to = max(source_to, spoken.source_span(at, cursor)[1])
            source_to = min(max(source_to, piece.start), piece.stop)
            found[source_to] = match.end()
        stops.append({word_stop: source_stop for source_stop, word_stop in found.items()})
    return stops


def _find(text: str, word: str, start: int) -> int:
    at = text.find(word, start, start + len(word) + _NEAR_CHARACTERS)
    return at if at >= 0 else text.find(word, start)
