"""Feet and inches by their marks, and minutes of a match."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import words
from gpu_worker.text.normalization.numerals import DIGIT, SPACE, START, is_attributive
from gpu_worker.text.normalization.quantities import QUANTITY, counted, described, quantity
from gpu_worker.text.rewriting import Rule

_FEET_INCHES: Final = re.compile(
    rf"{START}([0-9]{{1,3}}){SPACE}?(?:ft\.?|feet|foot|['\u2032\u2019]){SPACE}?"
    r"([0-9]{1,2}(?:\.[0-9]{1,2}|(?:[ -][0-9]/[0-9]{1,2})|[\u00bc-\u00be])?)"
    rf"(?:{SPACE}?(?:in\b\.?(?![ ][A-Z]|\s*$)|in\b|inch(?:es)?\b|[\"\u2033\u201d]|''|\u2032\u2032"
    rf"|\u2019\u2019)|(?![\w\"'\u2019]|[.,][0-9]))"
)


def _say_feet_inches(match: re.Match[str]) -> str:
    feet, inches = quantity(match[1]), quantity(match[2])
    return f"{counted(feet, 'foot')} {counted(inches, 'inch')}"


_MARKS: Final = re.compile(rf"{START}(?P<number>{QUANTITY})(?P<mark>['\u2032\"\u2033\u201d])(?!\w)")
_SIZED: Final = re.compile(r"[ ]?(?:\u00d7|(?:x|by|wide|long|tall|deep|thick|high|pipe|screen|diameter)\b)")
_QUOTED: Final = 200
_OPEN_QUOTE: Final = re.compile(r"(?:^|[\s(\[])['\u2018]")
_GOES_ON: Final = re.compile(r"[ ][a-z]|$")


def _say_marks(match: re.Match[str]) -> str | None:
    mark, text = match["mark"], match.string
    unit = "foot" if mark in "'\u2032" else "inch"
    amount = quantity(match["number"])
    if is_attributive(match):
        return f"{described(amount).spoken} {unit}"
    if mark not in "\u2032\u2033" and not _SIZED.match(text, match.end()):
        before = text[max(0, match.start() - _QUOTED) : match.start()]
        if unit == "foot" and (
            mark != "'" or _OPEN_QUOTE.search(before) or not _GOES_ON.match(text, match.end())
        ):
            return None
        if "\u201c" in before or before.count('"') % 2:
            return None
    return counted(amount, unit)


_ADDED_TIME: Final = re.compile(rf"{START}([0-9]{{2,3}})\+([0-9]{{1,2}})['\u2032\u2019](?!\w)")


def _say_added_time(match: re.Match[str]) -> str:
    """'45+2\'', the minutes of a match that were added to a half."""
    return f"{words.whole(match[1])} plus {words.whole(match[2])} minutes"


RULES: Final[tuple[Rule, ...]] = (
    Rule(_ADDED_TIME, _say_added_time, re.compile(r"[0-9]\+[0-9]")),
    Rule(_FEET_INCHES, _say_feet_inches, DIGIT),
    Rule(_MARKS, _say_marks, re.compile("[0-9]['\u2032\"\u2033\u201d]")),
)
