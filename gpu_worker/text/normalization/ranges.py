"""Ranges, scores and other pairs of numbers with a dash between them."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import words
from gpu_worker.text.normalization.numerals import (
    DASH,
    NUMBERED,
    PLAIN,
    SPACE,
    START,
    previous_word,
    word_set,
)
from gpu_worker.text.rewriting import TAKEN, Rule

_RANGE: Final = re.compile(
    rf"{START}(?<![-\u2010-\u2015/])(?P<low>{PLAIN})(?P<dash>{SPACE}?{DASH}{SPACE}?)(?P<high>{PLAIN})"
    rf"(?![\w]|/[0-9])(?!{SPACE}?=|-[0-9]|-[A-Za-z]{{1,2}}(?!\w))"
)
_ORDINALS: Final = re.compile(
    rf"{START}(?P<low>[0-9]{{1,4}})(?:st|nd|rd|th)?{SPACE}?{DASH}{SPACE}?(?P<high>[0-9]{{1,4}})(?:st|nd"
    rf"|rd|th)(?!\w)"
)
_PAGES: Final = re.compile(
    rf"(?<!\w)(?P<page>pp?)\.{SPACE}?(?=[0-9]{{1,4}}(?P<more>{SPACE}?(?:{DASH}|,{SPACE}|and){SPACE}?[0-9])?)"
)

_SCORED: Final = word_set(
    "won lost beat win wins winning score scored led lead leading leads defeat defeated loss victory "
    "tie tied draw drew ahead up down odds ratio final result"
)
# Before one of these in the singular, '2-1' is the name of one thing.
_NAMED: Final = word_set("table tab tab. figure fig fig. exhibit exercise problem equation eq eq. diagram")
_AIRCRAFT: Final = word_set("boeing airbus embraer")
_ADDED_TO: Final = "=+*\u00d7\u00f7("


def _say_range(match: re.Match[str]) -> str:
    low, high, dash = match["low"], match["high"], match["dash"]
    first, second = words.number(low), words.number(high)
    if dash == "-" and low == high and len(low) == 2:
        return f"{first} {second}"
    if previous_word(match) in _AIRCRAFT:
        return f"{words.code(low)} {words.code(high)}"
    if previous_word(match) in NUMBERED:
        return f"{words.code(low)} {words.digits(high)}"
    if dash == "-" and previous_word(match) in _NAMED and high.isdigit():
        return f"{first} dash {second}"
    if _is_subtraction(match):
        return f"{first} minus {second}"
    return f"{first} to {second}"


def _is_subtraction(match: re.Match[str]) -> bool:
    dash = match["dash"]
    if len(dash) == 1:
        return False
    before = match.string[max(0, match.start() - 2) : match.start()].strip()
    if "\u2212" in dash or (before and before[-1] in _ADDED_TO):
        return True
    if "-" not in dash or previous_word(match) in _SCORED:
        return False
    return _order(match["low"]) >= _order(match["high"])


def _order(number: str) -> tuple[int, str]:
    """A key that puts numbers in the order of their size, however long they are."""
    whole, _, part = number.replace(",", "").partition(".")
    whole = whole.lstrip("0")
    return len(whole), f"{whole}.{part}"


def _say_ordinals(match: re.Match[str]) -> str:
    return f"{words.ordinal(int(match['low']))} to {words.ordinal(int(match['high']))}"


def _say_pages(match: re.Match[str]) -> str:
    return "pages " if match["page"] == "pp" or match["more"] else "page "


# Between two amounts that are said already, as in '5 kg-10 kg'.
BETWEEN: Final = Rule(
    re.compile(rf"(?<={TAKEN}){DASH}(?={TAKEN})"), lambda _: " to ", re.compile(rf"{TAKEN}{DASH}{TAKEN}")
)
_NUMBERS_RANGE: Final = re.compile(rf"(?<!\w)No(?P<many>s)?\.{SPACE}?(?=[0-9]{{1,4}}{DASH}[0-9])")

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        _NUMBERS_RANGE,
        lambda match: "numbers " if match["many"] else "number ",
        re.compile(r"Nos?\.[ \u00a0]?[0-9]"),
    ),
    Rule(_PAGES, _say_pages, re.compile(r"p\.[ \u00a0]?[0-9]")),
    Rule(_ORDINALS, _say_ordinals, re.compile(r"[0-9a-z][ ]?[-\u2010-\u2015][ ]?[0-9]{1,4}[snrt]")),
    Rule(_RANGE, _say_range, re.compile(rf"[0-9]{SPACE}?{DASH}{SPACE}?[0-9.]")),
    BETWEEN,
)
