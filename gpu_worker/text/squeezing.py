"""A text with its white space evened out: the lines and paragraphs that a splitter works on."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LINE_END: Final = "\n"
PARAGRAPH_END: Final = "\u2029"

_LINE_ENDS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_UNEVEN: Final = re.compile(r"\s{2,}+|[^\S ]")
_LINE_BREAK: Final = re.compile(rf"\r\n|[{_LINE_ENDS}]")
_ENDED: Final = re.compile(rf"[{LINE_END}{PARAGRAPH_END}]")
# A line of a text that was wrapped by an editor goes on in the next line.
_WRAPPED_CHARACTERS: Final = 60
_WRAPPED_BEFORE_LOWER_CASE_CHARACTERS: Final = 30


@dataclass(frozen=True, slots=True)
class Squeezed:
    """`text` where every run of white space is one space, LINE_END or PARAGRAPH_END, none at either end.

    A line that ends in a letter or digit is closed with a full stop, so that it is not read into the next.
    `origins[i]` is where text[i] stood before; a full stop that was added stands where its line ended.
    """

    text: str
    origins: Sequence[int]

    def index_of(self, origin: int) -> int:
        """The first character that stood at or after `origin`; the length where none did."""
        return bisect_left(self.origins, origin)


def squeeze(text: str) -> Squeezed:
    """`text` with its white space evened out, in time linear in its length."""
    stop = len(text.rstrip())
    at = stop - len(text[:stop].lstrip())
    parts: list[str] = []
    origins: list[int] = []
    line_characters = 0
    for match in _UNEVEN.finditer(text, at, stop):
        parts.append(text[at : match.start()])
        origins += range(at, match.start())
        line_characters += match.start() - at
        at = match.end()
        mark = _mark(text, match, line_characters)
        if mark != " ":
            line_characters = 0
        parts.append(mark)
        origins += [match.start()] * len(mark)
    if not parts:
        return Squeezed(text[at:stop], range(at, stop))
    parts.append(text[at:stop])
    origins += range(at, stop)
    return Squeezed("".join(parts), origins)


def spaced(text: str) -> str:
    """A slice of squeezed text as an engine gets it: one line."""
    return _ENDED.sub(" ", text)


def _mark(text: str, space: re.Match[str], line_characters: int) -> str:
    """What stands for a run of white space after so many characters of its line."""
    breaks = _LINE_BREAK.findall(space[0])
    if not breaks:
        return " "
    if len(breaks) > 1 or breaks[0] == PARAGRAPH_END:
        return PARAGRAPH_END
    last, following = text[space.start() - 1], text[space.end()]
    if _is_wrapped(last, following, line_characters):
        return " "
    if not last.isalnum():
        return LINE_END
    return ("。" if is_dense(last) else ".") + LINE_END


def _is_wrapped(last: str, following: str, line_characters: int) -> bool:
    if not last.isalnum() and last not in ",;":
        return False
    if following.islower():
        return line_characters >= _WRAPPED_BEFORE_LOWER_CASE_CHARACTERS
    return following.isalpha() and line_characters >= _WRAPPED_CHARACTERS


def is_dense(character: str) -> bool:
    """Whether one character is about a syllable: those of Chinese, Japanese and Korean."""
    return (
        "\u2e80" <= character <= "\u9fff"
        or "\uac00" <= character <= "\ud7af"
        or "\uf900" <= character <= "\ufaff"
        or "\U00020000" <= character <= "\U0003ffff"
    )
