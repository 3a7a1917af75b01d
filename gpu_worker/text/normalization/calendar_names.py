"""Rules for the abbreviated names of days and months, and for years with 'circa' or 'born'."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization.abbreviation_words import MONTHS, WEEKDAYS
from gpu_worker.text.normalization.context import ends_sentence, kept_stop, word_before
from gpu_worker.text.normalization.numerals import word_set
from gpu_worker.text.normalization.words import year
from gpu_worker.text.rewriting import TAKEN, Rule

_DAYS: Final = "Mon|Tues?|Weds?|Thu|Thurs?|Fri|Sat|Sun"
_DAY_RANGE: Final = re.compile(rf"(?<![\w.])({_DAYS})\.?[ ]?([-–—])[ ]?({_DAYS})(\.?)(?![\w])")
_ANY_DAY: Final = re.compile(rf"\b(?:{_DAYS}|Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)(?:day)?(?!\w)")
_BARE_DAY: Final = re.compile(
    r"(?<![\w.'’])(Tues?|Thu|Thurs?|Feb|Sept|Wed|Oct|Nov|Dec|Apr|Aug|Fri|Sun|Sat|Mon)(?=[,:]? (?:\d|\ue000))"
)
_DATE_BEFORE: Final = word_set(
    """
    in on since until till by from to through late early mid next last every this of and before after
    """
)
_WORKDAYS: Final = re.compile(r"(?<!\w)M[-–]F(?=[,:]? ?(?:from )?\d)")


def say_abbreviated(match: re.Match[str], key: str) -> str | None:
    """A month or weekday, where its capital and its neighbours say that it is one."""
    text, stop = match.string, match.end()
    if not match[1][0].isupper():
        return None
    ends = ends_sentence(text, match.start(), stop)
    before = word_before(text, match.start()).lower()
    if (
        ends
        and before not in _DATE_BEFORE
        and not (before in ("except", "but", "not", "open", "closed") or _dated(match))
    ):
        return None
    said = MONTHS.get(key) or WEEKDAYS[key]
    return f"{said}{'.' if ends else ''}"


def _dated(match: re.Match[str]) -> bool:
    """Whether another day is named before this one, so that this can be no other word."""
    return _ANY_DAY.search(match.string, max(0, match.start() - 48), match.start()) is not None


def _day_range(match: re.Match[str]) -> str:
    first, last = WEEKDAYS[match[1].lower()], WEEKDAYS[match[3].lower()]
    stop = kept_stop(match) if match[4] else ""
    return f"{first} to {last}{stop}"


def _bare_day(match: re.Match[str]) -> str | None:
    key = match[1].lower()
    if key in ("sun", "sat", "wed", "fri") and word_before(match.string, match.start()).lower() in (
        "the",
        "he",
        "she",
        "they",
    ):
        return None
    if key in ("sun", "sat", "wed") and not match.string.startswith(
        TAKEN, match.end() + 1 + (match.string[match.end()] in ",:")
    ):
        return None
    return WEEKDAYS.get(key) or MONTHS[key]


_CIRCA: Final = re.compile(
    r"(?<![\w.])([Cc]a?\.|[Cc]irca|[Ee]st\.|[bd]\.)[ \u00a0]?(1[0-9]{3}|20[0-9]{2})(?![\w%]|[.,]\d)"
)


_CIRCA_ERA: Final = re.compile(r"(?<![\w.])[Cc]a?\. ?(?=[0-9]{1,4} ?(?:BC|AD|CE|B\.C|A\.D)|(?:AD|BC) [0-9])")


def _circa(match: re.Match[str]) -> str:
    word = {"est.": "established", "b.": "born", "d.": "died"}.get(match[1].lower(), "circa")
    return f"{word} {year(int(match[2]))}"


# Before the rules for numbers.
EARLY_RULES: Final[tuple[Rule, ...]] = (
    Rule(_WORKDAYS, lambda match: "Monday to Friday", re.compile("M[-–]F")),
    Rule(_CIRCA_ERA, lambda match: "circa ", re.compile(r"(?<!\w)[Cc]a?\. ?[0-9AB]")),
    Rule(_CIRCA, _circa, re.compile(r"(?<!\w)(?:[bcd]|ca|circa|est)\b", re.I)),
)
RULES: Final[tuple[Rule, ...]] = (
    Rule(_DAY_RANGE, _day_range, re.compile(rf"(?:{_DAYS})\.?[ ]?[-–—]")),
    Rule(_BARE_DAY, _bare_day),
)
