"""Abbreviated weekdays beside dates and times, spans and lists of weekdays."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization.numerals import DASH, SPACE
from gpu_worker.text.rewriting import Rule

MONTH_NAME: Final = (
    r"(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]une?|[Jj]uly?|[Aa]ug(?:ust)?"
    r"|[Ss]ept?(?:ember)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?"
    r"|JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?|SEPT?(?:EMBER)?"
    r"|OCT(?:OBER)?|NOV(?:EMBER)?|DEC(?:EMBER)?)"
)
_WEEKDAYS: Final = {
    day[:3]: day for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
}
_YEAR: Final = r"[12][0-9]{3}"
_WEEKDAY: Final = re.compile(
    rf"\b(?P<day>Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)\b\.?(?=,?{SPACE}{{1,2}}(?:[0-9]{{1,2}}(?:st|nd|rd"
    rf"|th)?{SPACE}{MONTH_NAME}\b|{MONTH_NAME}\b\.?{SPACE}[0-9]|[0-9]{{1,2}}[/:][0-9]|[0-9]{{1,2}}{SPACE}?[ap]\.?m"
    rf"|{_YEAR}-))"
)
DAY_NAME: Final = "(?:Mon|Tues?|Wed(?:nes)?|Thurs?|Fri|Sat(?:ur)?|Sun)(?:day)?"
_WEEKDAYS_SPAN: Final = re.compile(
    rf"\b(?P<first>{DAY_NAME})\.?{SPACE}?{DASH}{SPACE}?(?P<second>{DAY_NAME})\b"
    r"(?:\.(?=[;,:)]|[ ][a-z0-9]))?"
)
_WEEKDAY_LIST: Final = re.compile(rf"(?<![\w/]){DAY_NAME}(?:/{DAY_NAME}){{1,6}}(?![\w/])")


def _say_weekdays(match: re.Match[str]) -> str:
    return " ".join(full_name(name) for name in match[0].split("/"))


def full_name(name: str) -> str:
    """'Tuesday' for 'Tue', 'Tues' and 'Tuesday'."""
    return _WEEKDAYS[name[:3]]


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        _WEEKDAYS_SPAN,
        lambda match: f"{full_name(match['first'])} to {full_name(match['second'])}",
        re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}\.?\s?[-\u2010-\u2015]"),
    ),
    Rule(_WEEKDAY_LIST, _say_weekdays, re.compile("[a-z]/[MTWFS][a-z]")),
    Rule(
        _WEEKDAY,
        lambda match: full_name(match["day"]),
        re.compile("(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,2}[., ]"),
    ),
)
