"""Text cut into pieces that an engine holds: sentences, and clauses where a sentence is too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

MAX_PIECE_CHARACTERS: Final = 280

# The lookbehind keeps a run of full stops from being tried again at each of its characters.
_SENTENCE_END: Final = re.compile(r"((?<![.!?…])[.!?…]++[\"'”’»)\]]*+)\s++|[。！？]++\s*+|\n\s*+")
_LAST_WORD: Final = re.compile(r"[^\s(\[\"'“‘]*\Z")
_CLAUSE_END: Final = re.compile(r"[,;:—–][\"'”’)]?(?=\s)")
_SPACE: Final = re.compile(r"\s+")

# Always followed by what they belong to.
_LEADING: Final = re.compile(
    r"mr|mrs|ms|mx|dr|prof|st|rev|hon|gen|col|maj|capt|lt|sgt|cpl|gov|sen|rep|pres|vs|cf|approx|dept|e\.g|i\.e|viz"
)
# Abbreviations before a number, words elsewhere.
_NUMBERED: Final = re.compile(r"no|nos|fig|figs|vol|vols|ch|sec|pp|p|art|ver")
# These may also end a sentence: the next word's first letter decides.
_TRAILING: Final = re.compile(
    r"etc|inc|ltd|co|corp|bros|jr|sr|a\.m|p\.m|u\.s|u\.k|u\.n|ph\.d|m\.d|b\.a|m\.a|al|est|ft|mt|ave|blvd|rd"
    r"|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec"
)
_LONGEST_ABBREVIATION: Final = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """What an engine speaks at once, and the span of the caller's text that it stands for."""

    text: str
    start: int
    stop: int


def split(text: str, limit: int = MAX_PIECE_CHARACTERS) -> list[Piece]:
    """The pieces of `text`, each of 1 to `limit` characters, none blank.

    Their spans follow each other without a gap from 0 to the end of the text. Blank text has no pieces.
    """
    pieces: list[Piece] = []
    start = 0
    for stop in _cuts(text, limit):
        spoken = _SPACE.sub(" ", text[start:stop]).strip()
        if spoken:
            pieces.append(Piece(spoken, pieces[-1].stop if pieces else 0, stop))
        elif pieces:
            pieces[-1] = replace(pieces[-1], stop=stop)
        start = stop
    return pieces


def _cuts(text: str, limit: int) -> Iterator[int]:
    start = 0
    for stop in _sentence_ends(text):
        while stop - start > limit:
            start = _clause_end(text, start, start + limit)
            yield start
        yield stop
        start = stop


def _sentence_ends(text: str) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text):
        if match[1] is None or _ends_sentence(text, match[1], match.start(), match.end()):
            yield match.end()
    yield len(text)


def _ends_sentence(text: str, mark: str, at: int, after: int) -> bool:
    """Whether `mark` closes a sentence, and not an abbreviation, an initial or a part of a sentence."""
    following = text[after : after + 16].lstrip(" ([\"'“‘")[:1]
    if following.islower() or mark != ".":
        return not following.islower()
    before = text[max(0, at - _LONGEST_ABBREVIATION) : at]
    match = _LAST_WORD.search(before)
    word = match[0] if match else ""
    if len(word) == 1 and word.isupper() and word != "I":
        return False
    word = word.lower()
    if _LEADING.fullmatch(word) or (_NUMBERED.fullmatch(word) and following.isdigit()):
        return False
    return not _TRAILING.fullmatch(word) or following.isupper() or not following


def _clause_end(text: str, start: int, furthest: int) -> int:
    """Where to cut an over-long sentence: after its last clause, else its last word, else anywhere."""
    middle = (start + furthest) // 2
    clauses = [match.end() for match in _CLAUSE_END.finditer(text, middle, furthest)]
    if clauses:
        return clauses[-1]
    spaces = [match.end() for match in _SPACE.finditer(text, start + 1, furthest)]
    return spaces[-1] if spaces else furthest
