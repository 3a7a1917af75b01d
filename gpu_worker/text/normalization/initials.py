"""Rules for letters with full stops: initials of names and 'U.S.A.'."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization.context import SENTENCE_STARTERS, kept_stop, word_after, word_before
from gpu_worker.text.normalization.numerals import word_set
from gpu_worker.text.rewriting import Rule

_LETTERS: Final = re.compile(
    r"(?<![\w.'’])(?:[A-Za-z]\.){2,8}(?:(s)(?!\w)|(?!\w))|(?<![\w.'’])(?:[A-Z]\.){1,6}[A-Z](?![\w.])"
)
_INITIAL: Final = re.compile(r"(?<=[a-z.] )([A-HJ-Z])\.(?= [A-Z][a-z'’])")
_INITIAL_FIRST: Final = re.compile(r"^([A-HJ-Z])\.(?= (?:[A-Z]\. )?[A-Z][a-z])", re.M)
_INITIALS: Final = re.compile(r"(?<![\w.'’])(?:[A-HJ-Z]\. ){2,5}(?=[A-Z][a-z])")


def _letters(match: re.Match[str]) -> str | None:
    """Letters with full stops: 'U.S.A.' is 'U S A'."""
    written = match[0]
    letters = written.removesuffix("s").replace(".", "")
    if len(letters) == 2 and written.count(".") == 1 and written[0].islower():
        return None
    plural = "s" if match[1] else ""
    stop = kept_stop(match) if written.endswith(".") else ""
    return f"{' '.join(letters)}{plural}{stop}"


def _initials(match: re.Match[str]) -> str:
    return match[0].replace(".", "")


_LETTERED: Final = word_set(
    "vitamin plan class grade type section option group hepatitis part appendix exhibit generation malcolm"
)


def _initial(match: re.Match[str]) -> str | None:
    """'George W. Bush', but not 'Plan B. Then'."""
    text = match.string
    before, following = word_before(text, match.start()), word_after(text, match.end())
    if following.lower() in SENTENCE_STARTERS or (before and not before[0].isupper()):
        return None
    if before.lower() in _LETTERED:
        return None
    return match[1]


RULES: Final[tuple[Rule, ...]] = (
    Rule(_LETTERS, _letters, re.compile(r"[A-Za-z]\.[A-Za-z]")),
    Rule(_INITIALS, _initials, re.compile(r"[A-Z]\. [A-Z]\. ")),
    Rule(_INITIAL_FIRST, _initial, re.compile(r"^[A-Z]\.", re.M)),
    Rule(_INITIAL, _initial, re.compile(r" [A-Z]\.")),
)
