"""Dates."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import weekdays, words, years
from gpu_worker.text.normalization.numerals import (
    DASH,
    END,
    SPACE,
    START,
    is_count,
    is_rating,
    next_word,
    previous_word,
    word_set,
)
from gpu_worker.text.normalization.times import say_time
from gpu_worker.text.normalization.weekdays import DAY_NAME, MONTH_NAME
from gpu_worker.text.rewriting import Rule

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_NTH: Final = r"(?:st|nd|rd|th|ST|ND|RD|TH)?"
_YEAR: Final = r"[12][0-9]{3}"
_TO: Final = rf"{SPACE}?(?:{DASH}|to\b|(?P<through>through\b)|/){SPACE}?"

_MONTH_FIRST: Final = re.compile(
    rf"(?<![A-Za-z])(?P<month>{MONTH_NAME})(?:\.?{SPACE}{{1,2}}(?:the{SPACE})?|\.|(?<=[A-Za-z]{{3}})-)"
    rf"(?P<day>{_DAY})(?P<nth>{_NTH})(?![\w:%\u00b0]|[.,/][0-9])"
    rf"(?:{_TO}(?:(?P<month2>{MONTH_NAME})\.?{SPACE})?(?P<day2>{_DAY}){_NTH}(?![\w:]|[.,/-][0-9]))?"
    rf"(?:(?:(?P<comma>,?){SPACE}{{1,2}}|-)(?P<year>{_YEAR})(?![\w:]|[.,][0-9]))?"
)
_DAY_FIRST: Final = re.compile(
    rf"{START}(?<![/:-])(?:(?P<day1>{_DAY}){_NTH}{_TO})?(?P<day>{_DAY})(?P<nth>{_NTH})(?:{SPACE}|-)"
    rf"(?P<of>of{SPACE})?(?P<month>{MONTH_NAME})(?![\w'\u2019])"
    rf"(?:\.(?=[,;:)]|[ ][a-z0-9]))?(?:(?:,?{SPACE}|-)(?P<year>{_YEAR})(?![\w:]|[.,][0-9]))?"
)
_MONTH_YEAR: Final = re.compile(
    rf"(?<![A-Za-z])(?:(?P<month1>{MONTH_NAME})\.?{_TO})?(?P<month>{MONTH_NAME})(?:\.?,?{SPACE}{{1,2}}"
    rf"(?:of{SPACE})?|-)(?:(?P<year>{_YEAR})(?![\w:]|[.,][0-9])|['\u2019](?P<short>[0-9]{{2}})(?!\w))"
)
_MONTHS_ONLY: Final = re.compile(
    rf"\b(?P<month1>{MONTH_NAME})\.?{SPACE}?{DASH}{SPACE}?(?P<month>{MONTH_NAME})\b"
)
_ISO: Final = re.compile(
    rf"{START}(?P<year>{_YEAR})([-/.])(?P<month>0?[1-9]|1[0-2])\2(?P<day>{_DAY})"
    r"(?:T(?P<hour>[01][0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:[.,][0-9]{1,9})?)?"
    r"(?P<zone>Z|[-+][0-9]{2}:?(?:[0-9]{2})?)?)?(?![\w/-])(?!\.[0-9])"
)
_NUMERIC: Final = re.compile(
    rf"{START}(?<![/-])(?P<first>[0-9]{{1,2}})(?P<mark>[-/.\u2011])(?P<second>[0-9]{{1,2}})(?P=mark)"
    rf"(?P<year>{_YEAR}|[0-9]{{2}})(?![\w/-])(?!\.[0-9])"
)
_SLASHED: Final = re.compile(
    rf"{START}(?<!/)(?P<first>1[0-2]|0?[1-9])/(?P<second>{_DAY})(?![\w/%])(?![.,][0-9])"
    rf"(?:(?P<to>{SPACE}?{DASH}{SPACE}?|{SPACE}(?:to|through){SPACE})"
    rf"(?P<first2>1[0-2]|0?[1-9])/(?P<second2>{_DAY})(?![\w/%])(?![.,][0-9]))?"
)
_MONTH_SLASH_YEAR: Final = re.compile(
    rf"{START}(?P<month>0?[1-9]|1[0-2])/(?P<year>19[0-9]{{2}}|20[0-9]{{2}}){END}(?!/)"
)
# What a payment card, a medicine or food is good until: a month and the last two digits of a year.
_EXPIRY: Final = re.compile(
    rf"(?P<exp>\b[Ee][Xx][Pp]\.?:?{SPACE}?)?(?<![\w/.,-])(?P<month>0[1-9]|1[0-2])/(?P<year>[2-9][0-9])(?![\w/%-]|[.,][0-9])"
)
_EXPIRES: Final = re.compile(
    r"\b(?:expiry|expiration|exp date|(?:valid|good) (?:thru|through|until|till|to)|best (?:before|by)"
    r"|card[^.!?]{1,24}expire[sd]?|expiring|use by)\b(?: date)?(?: is| of| in| on|:)?:? ?\Z",
    re.IGNORECASE,
)
_YEAR_MONTH: Final = re.compile(rf"{START}(?P<year>{_YEAR})-(?P<month>0[1-9]|1[0-2])(?![\w-]|[.,:/][0-9])")
_SHORT: Final = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}"
_WEEKDAY_SLASHED: Final = re.compile(
    rf"(?<![\w/])(?P<weekday>{DAY_NAME})\b\.?,?{SPACE}(?P<month>1[0-2]|0?[1-9])/(?P<day>{_DAY})(?![\w/%-]|[.,][0-9])"
)
_ENDS_IN_DATE: Final = re.compile(
    rf"(?:{MONTH_NAME}\.? (?:{_DAY}{_NTH})?,?(?: ?{_YEAR})?|{_DAY}{_NTH} (?:of )?{MONTH_NAME}\.?|{_SHORT})\Z"
)
_BETWEEN_DATES: Final = re.compile(
    rf"(?<=[0-9a-z.]){SPACE}?[-\u2012-\u2015]{SPACE}?"
    rf"(?=(?:{_DAY}{_NTH} (?:of )?{MONTH_NAME}|{MONTH_NAME}\.? (?:{_DAY}{_NTH}|{_YEAR})|{_SHORT})\b)"
)

_ON: Final = word_set(
    "on by until till before after since from through due dated starting ending between deadline of in "
    "this next last early late mid to and"
)
_DATED: Final = word_set(
    "on until till since due dated deadline before by monday tuesday wednesday thursday friday saturday "
    "sunday"
)
_PARTS_OF: Final = word_set(
    "of a an inch cup cups price priced off hour hours mile miles day days empty full"
)
_DAY_OF: Final = re.compile(r"\b(?:[Ww]eek|[Dd]ay|[Nn]ight|[Mm]orning|[Ee]vening|[Ww]eekend) of \Z")
_AT_TIME: Final = re.compile(r",? (?:at|@) (?:[0-9]{1,2}(?::|[ ]?[AaPp]\.?[Mm])|noon\b|\ue000)")
_DIVISORS: Final = (12, 16, 20)
_BEFORE_EXPIRY: Final = word_set(
    "expiry expiration expires expired expire expiring date thru through until till to before by is of in on"
)
_EVENTS: Final = {(9, 11), (7, 11)}


def _month(name: str) -> str:
    return next(month for month in _MONTHS if month[:3] == name[:3].capitalize())


def _joint(match: re.Match[str]) -> str:
    return "through" if match["through"] else "to"


def _is_modal(match: re.Match[str]) -> bool:
    """Whether 'may' or 'march' in lower case is a verb."""
    groups = match.groupdict()
    if match["month"] not in ("may", "march", "mar") or groups.get("year"):
        return False
    return not groups.get("nth") and previous_word(match) not in _ON


def _with_year(spoken: str, year: str | None, comma: str = " ") -> str:
    return f"{spoken}{comma}{words.year(int(year))}" if year else spoken


def _say_month_first(match: re.Match[str]) -> str | None:
    if _is_modal(match) or not (match["nth"] or match["day2"] or match["year"] or not is_count(match)):
        return None
    spoken = f"{_month(match['month'])} {words.ordinal(int(match['day']))}"
    if match["day2"]:
        month2 = f"{_month(match['month2'])} " if match["month2"] else ""
        spoken += f" {_joint(match)} {month2}{words.ordinal(int(match['day2']))}"
    return _with_year(spoken, match["year"], ", " if match["comma"] else " ")


def _say_day_first(match: re.Match[str]) -> str | None:
    if _is_modal(match):
        return None
    before = previous_word(match)
    day = words.ordinal(int(match["day"]))
    if match["day1"]:
        the = "" if before == "the" else "the "
        day = f"{words.ordinal(int(match['day1']))} {_joint(match)} {the}{day}"
    article = "" if before == "the" or (match["of"] and not match["day1"]) else "the "
    return _with_year(f"{article}{day} of {_month(match['month'])}", match["year"])


def _say_month_year(match: re.Match[str]) -> str | None:
    spoken = _month(match["month"])
    if match["month1"]:
        spoken = f"{_month(match['month1'])} {_joint(match)} {spoken}"
    if match["short"]:
        return f"{spoken} {words.two_digits(int(match['short']))}"
    return _with_year(spoken, match["year"])


def _say_months(match: re.Match[str]) -> str | None:
    if match["month"].islower() or match["month1"].islower():
        return None
    return f"{_month(match['month1'])} to {_month(match['month'])}"


def _say_between(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 24) : match.start()]
    return " to " if _ENDS_IN_DATE.search(before) else None


def _say_iso(match: re.Match[str]) -> str:
    month = _MONTHS[int(match["month"]) - 1]
    spoken = f"{month} {words.ordinal(int(match['day']))}, {words.year(int(match['year']))}"
    if match["hour"] is None:
        return spoken
    spoken += f" at {say_time(int(match['hour']), int(match['minute']))}"
    if second := int(match["second"] or 0):
        spoken += f" and {words.cardinal(second)} second{'' if second == 1 else 's'}"
    zone = match["zone"]
    if zone == "Z":
        return f"{spoken} U T C"
    if zone:
        sign = "plus" if zone[0] == "+" else "minus"
        minutes = int(zone[-2:]) if len(zone) > 4 else 0
        offset = words.cardinal(int(zone[1:3])) + (f" {words.cardinal(minutes)}" if minutes else "")
        return f"{spoken} U T C {sign} {offset}"
    return spoken


def _say_numeric(match: re.Match[str]) -> str | None:
    first, second, year = int(match["first"]), int(match["second"]), match["year"]
    if len(year) == 2 and match["mark"] != "/":
        return None
    day, month = (first, second) if match["mark"] == "." else (second, first)
    if month > 12:
        day, month = month, day
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    full = int(year) if len(year) == 4 else int(year) + (2000 if int(year) < 70 else 1900)
    return f"{_MONTHS[month - 1]} {words.ordinal(day)}, {words.year(full)}"


def _say_expiry(match: re.Match[str]) -> str | None:
    """'exp. 12/26', a month and a year; days of the month are left to the rules for dates."""
    known = match["exp"] or int(match["year"]) > 31
    if not known and not _EXPIRES.search(match.string, max(0, match.start() - 48), match.start()):
        return None
    if not match["exp"] and previous_word(match) not in _BEFORE_EXPIRY:
        return None
    spoken = f"{_MONTHS[int(match['month']) - 1]} {words.year(2000 + int(match['year']))}"
    return f"expires {spoken}" if match["exp"] else spoken


def _say_slashed(match: re.Match[str]) -> str | None:
    first, second = int(match["first"]), int(match["second"])
    if (first, second) in _EVENTS:
        return f"{words.cardinal(first)} {words.cardinal(second)}"
    before = previous_word(match)
    surely = "0" in (match["first"][0], match["second"][0]) or second == 1
    surely = surely or (match["to"] is not None and not match["to"].strip().isalpha() and second > 4)
    if before == "from":
        surely = surely or second not in (2, 3, 4, 8, 16)
    surely = (
        surely
        or _AT_TIME.match(match.string, match.end()) is not None
        or _is_no_fraction(match)
        or _DAY_OF.search(match.string, max(0, match.start() - 16), match.start()) is not None
    )
    if not surely and (before not in _DATED or (before == "by" and second <= 10)):
        return None
    if next_word(match) in _PARTS_OF:
        return None
    spoken = f"{_MONTHS[first - 1]} {words.ordinal(second)}"
    if match["to"]:
        joint = "through" if "through" in match["to"] else "to"
        spoken += f" {joint} {_MONTHS[int(match['first2']) - 1]} {words.ordinal(int(match['second2']))}"
    return spoken


def _is_no_fraction(match: re.Match[str]) -> bool:
    """Whether no one would divide by the second number, as in '12/25'."""
    second = int(match["second"])
    return second > 10 and second not in _DIVISORS and not is_count(match) and not is_rating(match)


def _say_weekday_slashed(match: re.Match[str]) -> str | None:
    if next_word(match) in _PARTS_OF:
        return None
    month, day = _MONTHS[int(match["month"]) - 1], words.ordinal(int(match["day"]))
    return f"{weekdays.full_name(match['weekday'])}, {month} {day}"


def _say_year_month(match: re.Match[str]) -> str | None:
    if int(match["month"]) > int(match["year"][2:]) or not 1900 <= int(match["year"]) <= 2099:
        return None
    return f"{_MONTHS[int(match['month']) - 1]} {words.year(int(match['year']))}"


def _say_month_slash_year(match: re.Match[str]) -> str:
    return f"{_MONTHS[int(match['month']) - 1]} {words.year(int(match['year']))}"


_MONTH_HINT: Final = re.compile(
    r"(?:[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]u[nl]|[Aa]ug|[Ss]ep|[Oo]ct|[Nn]ov|[Dd]ec"
    r"|JAN|FEB|MAR|APR|MAY|JU[NL]|AUG|SEP|OCT|NOV|DEC)"
    r"[A-Za-z]{0,6}[.,' \u2019-]{1,3}(?:the |of )?[0-9]"
)
_DAY_HINT: Final = re.compile(
    r"[0-9](?:st|nd|rd|th|ST|ND|RD|TH)?[ \u00a0-](?:of )?[JFMASONDjfmasond][A-Za-z]{2}"
)
_CHAIN: Final = re.compile(r"[0-9][-/.\u2011][0-9]{1,2}[-/.\u2011][0-9]")

RULES: Final[tuple[Rule, ...]] = (
    Rule(_WEEKDAY_SLASHED, _say_weekday_slashed, re.compile("[a-z][., ]{1,2}[0-9]{1,2}/[0-9]")),
    *weekdays.RULES,
    Rule(
        _BETWEEN_DATES,
        _say_between,
        re.compile(rf"[-\u2012-\u2015]{SPACE}?(?:[0-9]{{1,2}}(?:[a-z]{{0,2}} |/)|[A-Z][a-z]{{2}})"),
    ),
    Rule(_EXPIRY, _say_expiry, re.compile("[01][0-9]/[2-9][0-9]")),
    Rule(_ISO, _say_iso, _CHAIN),
    Rule(_NUMERIC, _say_numeric, _CHAIN),
    Rule(_DAY_FIRST, _say_day_first, _DAY_HINT),
    Rule(_MONTH_FIRST, _say_month_first, _MONTH_HINT),
    Rule(_MONTH_YEAR, _say_month_year, _MONTH_HINT),
    Rule(_MONTHS_ONLY, _say_months, re.compile(r"[A-Za-z]{3}\.?\s?[-\u2010-\u2015]\s?[JFMASOND][a-z]{2}")),
    Rule(_YEAR_MONTH, _say_year_month, re.compile("[0-9]{4}-[01]")),
    *years.RULES,
    Rule(_MONTH_SLASH_YEAR, _say_month_slash_year, re.compile("[0-9]/[12]")),
    Rule(_SLASHED, _say_slashed, re.compile("[0-9]/[0-9]")),
)
