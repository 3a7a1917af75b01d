"""Spans of years, decades, years with two digits, eras."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import words
from gpu_worker.text.normalization.numerals import DASH, END, SPACE, START, is_count, previous_word, word_set
from gpu_worker.text.rewriting import Rule

_YEARS: Final = re.compile(
    rf"{START}(?<![-/])(?P<first>1[1-9][0-9]{{2}}|20[0-9]{{2}})(?P<mark>{SPACE}?{DASH}{SPACE}?|/)"
    rf"(?P<second>1[1-9][0-9]{{2}}|20[0-9]{{2}}|[0-9]{{2}})(?![\w/-]|[.,:/][0-9])"
)
_DECADE: Final = re.compile(
    r"(?<!\w)(?<![0-9][.,])(?P<quote>['\u2019\u2018]?)(?P<years>[1-9]0|[12][0-9]{2}0)"
    r"(?P<apostrophe>['\u2019]?)s"
    rf"(?:{SPACE}?{DASH}{SPACE}?['\u2019\u2018]?(?P<second>[1-9]0|[12][0-9]{{2}}0)['\u2019]?s)?(?!\w)"
)
_QUARTER_YEAR: Final = re.compile(r"(?<=\b[QH][1-4])['\u2019](?P<year>[0-9]{2})(?!\w)")
_SHORT_YEAR: Final = re.compile(r"(?<!\w)['\u2019\u2018]([0-9]{2})(?![\w'\u2019%]|[.,][0-9])")
_ERA_NAME: Final = r"(?:BCE|BC|AD|CE|bce|bc|B\.C\.E\.?|B\.C\.?|A\.D\.?|C\.E\.?)"
_ERA: Final = re.compile(
    rf"{START}(?P<year>[0-9]{{1,5}}|[0-9]{{1,2}},[0-9]{{3}}){SPACE}?(?P<after>{_ERA_NAME})(?![\w])"
    rf"|\b(?P<before>AD|A\.D\.|CE){SPACE}?(?P<year2>[0-9]{{1,4}}){END}"
)
_MEASURED: Final = re.compile(
    rf"{SPACE}?(?:kg|km|g|mg|mcg|lbs?|oz|ml|mL|L|mm|cm|ft|mi|rpm|RPM|kcal|cal|Hz|MHz|nm|W|kW|V|mAh|psi|K|sq|°|%)"
    r"(?!\w)"
)
_SPACED_DECADE: Final = re.compile(rf"{START}([12][0-9]{{2}}0){SPACE}s(?!\w)")
_NINES: Final = re.compile(rf"{START}([0-9]{{1,2}})['\u2019]?s(?!\w)")
_SEVERAL: Final = word_set("two three four five six seven eight nine ten all both some few several many pair")
_QUARTER: Final = re.compile(
    r"(?<![\w.])(?P<nth>[1-4])(?P<part>[QH])(?P<year>(?:20)?[0-9]{2})(?!\w|[.,][0-9])"
)
_DECADE_BEFORE: Final = word_set(
    "the his her their my your our early late mid in to and or since early- mid- late- those"
)


def _say_years(match: re.Match[str]) -> str | None:
    first, second = match["first"], match["second"]
    if match["mark"] == "/" and len(second) == 4:
        return None
    if len(second) == 2:
        joint = " " if match["mark"] == "/" else " to "
        return f"{words.year(int(first))}{joint}{words.two_digits(int(second))}"
    if _MEASURED.match(match.string, match.end()) or (len(second) == 4 and second < first):
        return None
    if is_count(match) and not (int(first) >= 1900 and second >= first and first[2:] != "00"):
        return None
    return f"{words.year(int(first))} to {words.year(int(second))}"


def _say_decade(match: re.Match[str]) -> str | None:
    years, second = match["years"], match["second"]
    alone = not (match["quote"] or match["apostrophe"] or second) and len(years) == 2
    if int(years) < 20 or (alone and previous_word(match) not in _DECADE_BEFORE):
        return None
    return f"{_decade(years)} to {_decade(second)}" if second else _decade(years)


def _decade(years: str) -> str:
    century, rest = divmod(int(years), 100)
    if century and rest:
        return f"{words.cardinal(century)} {words.plural(words.cardinal(rest))}"
    return words.plural(words.year(int(years)))


def _say_era(match: re.Match[str]) -> str:
    n = int((match["year"] or match["year2"]).replace(",", ""))
    year = words.code(str(n)) if 100 < n < 1000 and n % 100 else words.year(n)
    era = " ".join((match["before"] or match["after"]).upper()).replace(" .", "")
    return f"{era} {year}" if match["before"] else f"{year} {era}"


def _say_spaced_decade(match: re.Match[str]) -> str | None:
    if match.start() and previous_word(match) not in _DECADE_BEFORE:
        return None
    return _decade(match[1])


def _say_nines(match: re.Match[str]) -> str | None:
    before = previous_word(match)
    return words.plural(words.whole(match[1])) if before in _SEVERAL else None


def _say_quarter(match: re.Match[str]) -> str:
    year = int(match["year"])
    part = "quarter" if match["part"] == "Q" else "half"
    article = "" if previous_word(match) in ("the", "our", "its", "their") or not match.start() else "the "
    nth, full = words.ordinal(int(match["nth"])), year if year > 99 else 2000 + year
    return f"{article}{nth} {part} of {words.year(full)}"


RULES: Final[tuple[Rule, ...]] = (
    Rule(_YEARS, _say_years, re.compile(r"[0-9]{4}\s?[-\u2010-\u2015\u2212/]")),
    Rule(_DECADE, _say_decade, re.compile("0['\u2019]?s")),
    Rule(_SPACED_DECADE, _say_spaced_decade, re.compile("0[ \u00a0]s")),
    Rule(_NINES, _say_nines, re.compile("[a-z] [0-9]{1,2}['\u2019]?s")),
    Rule(_QUARTER, _say_quarter, re.compile("[1-4][QH][0-9]")),
    Rule(
        _QUARTER_YEAR,
        lambda match: f" {words.year(2000 + int(match['year']))}",
        re.compile("[QH][1-4]['\u2019]"),
    ),
    Rule(_SHORT_YEAR, lambda match: words.two_digits(int(match[1])), re.compile("['\u2018\u2019][0-9]")),
    Rule(_ERA, _say_era, re.compile(r"AD|A\.D|CE|C\.E|BC|B\.C|\bbce?\b")),
)
