"""What stands around a match: the word before, the word after, whether a sentence ends here."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization.numerals import word_set

# How far a rule may look; it keeps every rule linear in the text.
REACH: Final = 48

_WORD_BEFORE: Final = re.compile(r"([A-Za-z0-9'’.&-]++)[ \t\u00a0]{1,3}\Z")
_WORD_AFTER: Final = re.compile(r"[ \t\u00a0\n]{0,3}[\"'“‘(]?([A-Za-z][A-Za-z'’]{0,30})")
_CLOSERS: Final = "\"'”’)]»*_ \t"
_LOWER_WORD: Final = re.compile(r"(?<![\w.])[a-z]{2,}(?![\w.])")

# Words that begin a sentence far more often than they follow an abbreviation inside one.
SENTENCE_STARTERS: Final = word_set(
    """
    a after again all also although an and another any are as at be because before both but by can come
    could did do does each even every finally first for from give go had has have he hello her here his
    how however i i'm i've if in indeed instead is it it's its just last later let like look many maybe
    meanwhile more moreover most much my never next no nobody not nothing now of oh on once one only or
    other our over people perhaps please see she should since so some someone sometimes soon still such
    take tell thank that that's the their them then there these they they're this those though thus to
    today together tomorrow too under until was we we're well were what when where which while who why
    will with would yes yesterday yet you your
    don't didn't doesn't isn't wasn't won't
    """
)


def word_before(text: str, at: int) -> str:
    """The word that ends right before `at`, but for spaces; empty where there is none."""
    match = _WORD_BEFORE.search(text[max(0, at - REACH) : at])
    return match[1] if match else ""


def word_after(text: str, at: int) -> str:
    """The word that begins at `at`, but for spaces and an opening quote; empty where there is none."""
    match = _WORD_AFTER.match(text, at)
    return match[1] if match else ""


def ends_sentence(text: str, start: int, stop: int) -> bool:
    """Whether the full stop of the abbreviation text[start:stop] also ends a sentence.

    It does at the end of a line that has words in lower case (a label such as an address or a company's
    name is no sentence), and before a capitalised word that usually begins one.
    """
    after = text[stop : stop + 8].lstrip(_CLOSERS)
    if not after and stop + 8 < len(text):
        return False
    if not after or after[0] in "\r\n":
        line = text[max(0, start - 200) : start].rpartition("\n")[2]
        return _LOWER_WORD.search(line) is not None
    if not after[0].isupper() or not text[stop : stop + 1].isspace():
        return False
    following = word_after(text, stop).lower().replace("’", "'")
    return following in SENTENCE_STARTERS or following.partition("'")[0] in SENTENCE_STARTERS


def kept_stop(match: re.Match[str]) -> str:
    """The full stop at the end of an abbreviation where it also ends the sentence, else nothing."""
    return "." if ends_sentence(match.string, match.start(), match.end()) else ""


def padded(match: re.Match[str], spoken: str) -> str:
    """`spoken` with a space on each side where the match touches a word."""
    text = match.string
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    after = text[match.end() : match.end() + 1]
    left = " " if touches(before) else ""
    right = " " if touches(after) else ""
    return f"{left}{spoken}{right}"


def touches(neighbour: str) -> bool:
    """Whether a word put beside this character would run into it."""
    return bool(neighbour) and (neighbour.isalnum() or neighbour in "\ue000_$€£%°@&")
