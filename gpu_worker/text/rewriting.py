"""Text rewritten piece by piece, with a map from what is spoken back to what was written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# Stands for every character that a rule has taken already; no rule may match it.
TAKEN: Final = "\ue000"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """`spoken` takes the place of text[start:stop]; empty where nothing is to be said."""

    start: int
    stop: int
    spoken: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Every match of `pattern` is said as `say` tells; None leaves it to later rules.

    Patterns must be linear in the text: bounded or possessive quantifiers, no nested repetition. A match
    sees the text with what earlier rules took overwritten by TAKEN, at its original offsets. `hint`, where
    given, is a pattern without which the rule cannot match, tried once on the whole text.
    """

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]
    hint: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """spoken[spoken_from:spoken_to] says text[source_from:source_to]; `verbatim` character by character."""

    spoken_from: int
    spoken_to: int
    source_from: int
    source_to: int
    verbatim: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said instead of the caller's text. `stretches` cover `text` without gaps, in its order."""

    text: str
    stretches: tuple[Stretch, ...]

    def stretch_at(self, index: int) -> Stretch:
        """The stretch that holds the spoken character at `index`."""
        return self.stretches[
            bisect_right(self.stretches, index, key=lambda stretch: stretch.spoken_from) - 1
        ]

    def source_span(self, start: int, stop: int) -> tuple[int, int]:
        """The span of the caller's text that spoken[start:stop], which is not empty, stands for."""
        first, last = self.stretch_at(start), self.stretch_at(stop - 1)
        source_from = first.source_from + (start - first.spoken_from if first.verbatim else 0)
        source_to = last.source_to - (last.spoken_to - stop if last.verbatim else 0)
        return source_from, source_to


def apply(text: str, rules: Iterable[Rule], taken: Sequence[Rewrite] = ()) -> list[Rewrite]:
    """The rewrites of `taken` and of all rules, in the order of the text; a match that is taken stays so.

    `taken` must not overlap. Rules come in the order of their precedence.
    """
    rewrites = list(taken)
    left = _overwritten(text, taken)
    for rule in rules:
        if rule.hint is not None and rule.hint.search(left) is None:
            continue
        found = [
            Rewrite(match.start(), match.end(), spoken)
            for match in rule.pattern.finditer(left)
            if match.end() > match.start()
            and TAKEN not in match[0]
            and (spoken := rule.say(match)) is not None
        ]
        if found:
            rewrites += found
            left = _overwritten(left, found)
    return sorted(rewrites, key=lambda rewrite: rewrite.start)


def assemble(text: str, rewrites: Sequence[Rewrite]) -> Spoken:
    """What is spoken once every rewrite is in its place; they must be in order and not overlap.

    A rewrite never runs into the word beside it, nor leaves two spaces in a row.
    """
    pieces: list[tuple[str, int, int, bool]] = []
    at = 0
    for rewrite in rewrites:
        if rewrite.start > at:
            _append(pieces, text[at : rewrite.start], at, rewrite.start, verbatim=True)
        _append(pieces, rewrite.spoken, rewrite.start, rewrite.stop, verbatim=False)
        at = rewrite.stop
    _append(pieces, text[at:], at, len(text), verbatim=True)
    stretches: list[Stretch] = []
    length = 0
    for spoken, start, stop, verbatim in pieces:
        stretches.append(Stretch(length, length + len(spoken), start, stop, verbatim))
        length += len(spoken)
    return Spoken("".join([piece[0] for piece in pieces]), tuple(stretches))


def _append(
    pieces: list[tuple[str, int, int, bool]], spoken: str, start: int, stop: int, *, verbatim: bool
) -> None:
    """Adds a piece that is not empty; the space between it and the piece before is part of a rewrite."""
    if not spoken:
        return
    if pieces and not (verbatim and pieces[-1][3]):
        before = pieces[-1][0]
        if before[-1].isalnum() and spoken[0].isalnum():
            if _is_letter(before if verbatim else spoken):
                pass
            elif verbatim:
                pieces[-1] = (f"{before} ", *pieces[-1][1:])
            else:
                spoken = f" {spoken}"
        elif not verbatim and spoken[0] == " " and before[-1].isspace():
            spoken = spoken[1:]
        elif verbatim and spoken[0].isspace() and before[-1] == " ":
            pieces[-1] = (before[:-1], *pieces[-1][1:])
            if not pieces[-1][0]:
                pieces.pop()
    if spoken:
        pieces.append((spoken, start, stop, verbatim))


def _is_letter(spoken: str) -> bool:
    """Whether this is one letter of a word, as what stands for an entity is."""
    return len(spoken) == 1 and not spoken.isascii()


def _overwritten(text: str, rewrites: Sequence[Rewrite]) -> str:
    parts: list[str] = []
    at = 0
    for rewrite in rewrites:
        parts += (text[at : rewrite.start], TAKEN * (rewrite.stop - rewrite.start))
        at = rewrite.stop
    return "".join((*parts, text[at:]))
