"""Numbers as English words, the American way: no 'and' inside whole numbers, a hyphen in 'twenty-one'.

Only ASCII digits are understood. Nothing here raises, however long the number is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = ("ten", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES: Final = (
    "", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion",
    "septillion", "octillion", "nonillion", "decillion", "undecillion",
)  # fmt: skip
_LONGEST: Final = 3 * len(_SCALES)
_LIMIT: Final = 10**_LONGEST

_IRREGULAR_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_IRREGULAR_PLURALS: Final = {"foot": "feet", "half": "halves", "penny": "pence"}
_SEPARATORS: Final = re.compile(r"[,\s'\u2019_]")


def cardinal(n: int) -> str:
    """`n` as a whole number: 'minus one hundred twenty-three'; digit by digit from 10^39 on."""
    if n < 0:
        return f"minus {cardinal(-n)}"
    if n < 1000:
        return _below_thousand(n)
    if n >= _LIMIT:
        high, low = divmod(n, 10**9)
        return f"{_digit_by_digit(high)} {digits(f'{low:09}')}"
    groups = []
    for scale in _SCALES:
        n, group = divmod(n, 1000)
        if group:
            groups.append(f"{_below_thousand(group)} {scale}".rstrip())
        if not n:
            break
    return " ".join(reversed(groups))


def ordinal(n: int) -> str:
    """`n` as a place in a row: 'twenty-first', 'one thousandth'."""
    return to_ordinal(cardinal(n))


def to_ordinal(spoken: str) -> str:
    """The ordinal of a cardinal in words."""
    cut = max(spoken.rfind(" "), spoken.rfind("-")) + 1
    last = spoken[cut:]
    if last in _IRREGULAR_ORDINALS:
        last = _IRREGULAR_ORDINALS[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return spoken[:cut] + last


def year(n: int) -> str:
    """`n` as a year: 'nineteen oh five', 'two thousand seven', 'twenty twenty-four'."""
    century, rest = divmod(n, 100)
    if not 10 <= century <= 99 or (century % 10 == 0 and rest < 10):
        return cardinal(n)
    return pair(century, rest)


def pair(first: int, second: int) -> str:
    """Four digits two by two, as in years and house numbers: 'ten sixty-six', 'nineteen oh five'."""
    if second == 0:
        return f"{cardinal(first)} hundred"
    return f"{cardinal(first)} {two_digits(second)}"


def code(s: str) -> str:
    """The digits `s` as part of a name: 'three twenty', 'four oh four', 'twenty-four ninety'.

    Leading zeros and five digits or more are read digit by digit.
    """
    if s[:1] == "0" or len(s) > 4:
        return digits(s)
    if len(s) == 3 and s[1:] != "00":
        return f"{digits(s[0])} {two_digits(int(s[1:]))}"
    return year(int(s))


def two_digits(n: int) -> str:
    """0 to 99 as after an hour or a century: 'oh five', 'thirty'."""
    return cardinal(n) if n >= 10 else f"oh {cardinal(n)}"


def digits(s: str) -> str:
    """Every ASCII digit of `s` by its name; all else is left out."""
    return " ".join([_ONES[ord(c) - 48] for c in s if "0" <= c <= "9"])


def whole(s: str) -> str:
    """The digits `s` as a cardinal; digit by digit with leading zeros or when too long for a name."""
    if len(s) > _LONGEST or (len(s) > 1 and s[0] == "0") or not s:
        return digits(s)
    return cardinal(int(s))


def decimal(s: str) -> str:
    """`s` such as '3.14', '.5' or '12': 'three point one four', 'point five', 'twelve'."""
    before, point, after = s.partition(".")
    if not (point and after):
        return whole(before)
    return f"{whole(before)} point {digits(after)}".lstrip()


def number(s: str) -> str:
    """A number as it is written: sign, thousands set off by commas, spaces or apostrophes, decimals."""
    sign = s[:1]
    unsigned = _SEPARATORS.sub("", s.lstrip("-\u2212+\u2013"))
    if sign in ("-", "\u2212", "\u2013"):
        return f"minus {decimal(unsigned)}"
    return f"plus {decimal(unsigned)}" if sign == "+" else decimal(unsigned)


@lru_cache(maxsize=512)
def plural(unit: str) -> str:
    """The plural of a noun, or of the last word of several: 'feet', 'inches', 'nineties'."""
    head, space, last = unit.rpartition(" ")
    if last in _IRREGULAR_PLURALS:
        made = _IRREGULAR_PLURALS[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        made = last + "es"
    elif last.endswith("y") and last[-2:-1] not in ("a", "e", "o", "u"):
        made = last[:-1] + "ies"
    else:
        made = last + "s"
    return head + space + made


def _digit_by_digit(n: int) -> str:
    """As `digits`, for integers that Python would refuse to write out in base ten."""
    parts = []
    while n:
        n, low = divmod(n, 10**9)
        parts.append(digits(f"{low:09}" if n else str(low)))
    return " ".join(reversed(parts))


@lru_cache(maxsize=1000)
def _below_thousand(n: int) -> str:
    hundreds, rest = divmod(n, 100)
    words = []
    if hundreds:
        words.append(f"{_ONES[hundreds]} hundred")
    if rest >= 20:
        tens, ones = divmod(rest, 10)
        words.append(f"{_TENS[tens]}-{_ONES[ones]}" if ones else _TENS[tens])
    elif rest or not hundreds:
        words.append(_ONES[rest])
    return " ".join(words)
