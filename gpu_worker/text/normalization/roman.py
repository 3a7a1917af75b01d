"""Rules for roman numerals where the words around them say that they are numbers."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization.context import word_after, word_before
from gpu_worker.text.normalization.numerals import word_set
from gpu_worker.text.normalization.roman_names import (
    COUNTED,
    GIVEN_NAMES,
    NUMBERED,
    PRONOUN_VERBS,
    REGNAL_NAMES,
    RULER_TITLES,
    SEQUELS,
)
from gpu_worker.text.normalization.words import cardinal, ordinal, year
from gpu_worker.text.rewriting import TAKEN, Rule

_NUMERAL: Final = r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_UPPER: Final = re.compile(
    rf"(?<![\w.'’&/])(?=[IVXLCDM])({_NUMERAL})(?:st|nd|rd|th)?(?![\w&]|-[A-Z]|['’](?!s\b))"
)
_LOWER: Final = re.compile(
    r"(?<=[a-z.][ \u00a0])(?=[ivxl])((?:xl|l?x{0,3})(?:ix|iv|v?i{0,3}))(?![\w'’-]|\.\w)"
)
_RANGE: Final = re.compile(r"(?<=[a-z.] )([IVXL]{1,7})[ ]?[-–—][ ]?([IVXL]{1,7})(?![\w-])")
_LISTED: Final = re.compile(r"^[ \t]{0,8}([IVX]{2,7})(?=[.):][ \t])", re.M)
_VALID: Final = re.compile(_NUMERAL)
_VALUES: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_TWO_WORDS: Final = re.compile(r"([A-Za-z.'’-]++)[ \u00a0]([A-Za-z'’-]++)[ \u00a0]\Z")
_JOINED: Final = re.compile(
    rf"({TAKEN}|[IVXLCDM])(?:[ \u00a0](?:and|or|to|through|&|vs\.?)[ \u00a0]|,[ \u00a0](?:and )?|[–-])\Z"
)
_INITIAL: Final = re.compile(r"\.[ \u00a0][A-Z][a-z]")
_UNNUMBERED: Final = word_set(
    """
    the a an this that his her my our your its of in on at to by for with from and or mr mrs ms dr size
    vitamin channel team
    """
)
# More often letters than numbers.
_NO_NUMERALS: Final = word_set("C D L M CD DC MD MC MM CC DI MI LI DM CM CV")
_DRIPS: Final = word_set(
    """
    access antibiotics bag bags catheter drip drips drug drugs fluid fluids infusion injection line lines
    medication needle pole push saline site therapy treatment
    """
)


def value(numeral: str) -> int:
    """The number that a roman numeral in capitals stands for."""
    values = [_VALUES[letter] for letter in numeral]
    return sum(
        -this if this < following else this for this, following in zip(values, [*values[1:], 0], strict=True)
    )


def _upper(match: re.Match[str]) -> str | None:
    numeral = match[1]
    text, at, after = match.string, match.start(), match.end()
    n = value(numeral)
    if len(match[0]) > len(numeral):
        return ordinal(n)
    before = word_before(text, at)
    joined = text[after : after + 1] == "-"
    following = word_after(text, after + joined)
    if following.lower() in COUNTED and len(numeral) > 1 and n < 100 and before.lower() not in NUMBERED:
        return ordinal(n)
    if (
        numeral == "I"
        and not _titled_ruler(text[max(0, at - 48) : at])
        and following.lower() in PRONOUN_VERBS
    ):
        return None
    if numeral == "X" and (text.endswith("Xbox Series ", 0, at) or before in ("Gen", "Gen.")):
        return None
    name_like = before[:1].isupper() or before.lower() in NUMBERED
    if name_like:
        said = _after_name(numeral, n, before.removesuffix(".").lower(), match)
        if said is not None:
            return said
    if before.lower() == "the" and numeral != "IV" and 2 <= n < 40 and len(numeral) > 1:
        return ordinal(n) if _ruler(text[max(0, at - 48) : at - 4]) else None
    if n >= 1100 and len(numeral) >= 4:
        return year(n)
    if _JOINED.search(text[max(0, at - 12) : at]) and n < 100 and numeral.strip("LCDM") == numeral:
        return cardinal(n) if numeral != "I" and (len(numeral) > 1 or _numbered_nearby(text, at)) else None
    return None


def _after_name(numeral: str, n: int, before: str, match: re.Match[str]) -> str | None:
    """What a numeral says after a capitalised word, or one that is usually followed by a number."""
    single = len(numeral) == 1
    if before in NUMBERED:
        if numeral in ("C", "D", "L", "M"):
            return None
        if numeral == "I" and before not in _SURELY_NUMBERED and not _capitalised_before(match):
            return None
        return cardinal(n)
    if numeral in _NO_NUMERALS:
        return None
    if before == "malcolm" and numeral == "X":
        return None
    left = match.string[max(0, match.start() - 48) : match.start()]
    if _ruler(left) or (not single and _namesake(left)):
        if single and _INITIAL.match(match.string, match.end()):
            return None
        return f"the {ordinal(n)}"
    if numeral == "IV" and word_after(match.string, match.end()).lower() in _DRIPS:
        return None
    if single:
        return cardinal(n) if numeral != "I" and before in SEQUELS else None
    if before in _UNNUMBERED or n > 60 or numeral.strip("LCDM") != numeral:
        return None
    return cardinal(n)


_SURELY_NUMBERED: Final = word_set(
    """
    war chapter act phase volume vol book class diabetes episode
    """
)


def _capitalised_before(match: re.Match[str]) -> bool:
    return word_before(match.string, match.start())[:1].isupper()


def _ruler(left: str) -> bool:
    """Whether the text ends with a ruler's name."""
    before = word_before(left, len(left)).lower()
    if before in REGNAL_NAMES:
        return True
    return _titled_ruler(left)


def _titled_ruler(left: str) -> bool:
    words = _TWO_WORDS.search(left)
    return words is not None and words[1].lower() in RULER_TITLES and words[2][:1].isupper()


def _namesake(left: str) -> bool:
    """Whether the text ends with a person's full name."""
    words = left.split()[-3:]
    if len(words) < 2 or not words[-1][:1].isupper():
        return False
    return any(
        word.lower() in GIVEN_NAMES or (word.lower() in REGNAL_NAMES and word[:1].isupper())
        for word in words[:-1]
    )


def _numbered_nearby(text: str, at: int) -> bool:
    return any(
        word.strip(".,").lower() in NUMBERED for word in re.findall(r"[A-Za-z.]+", text[max(0, at - 30) : at])
    )


def _lower(match: re.Match[str]) -> str | None:
    before = word_before(match.string, match.start()).removesuffix(".").lower()
    if before not in _NUMBERED_LOWER:
        return None
    return cardinal(value(match[1].upper()))


_NUMBERED_LOWER: Final = word_set(
    """
    chapter chapters act acts scene scenes volume vol part parts book section page pages p pp phase canto
    """
)


def _range(match: re.Match[str]) -> str | None:
    if word_before(match.string, match.start()).removesuffix(".").lower() not in NUMBERED:
        return None
    if not (_VALID.fullmatch(match[1]) and _VALID.fullmatch(match[2])):
        return None
    return f"{cardinal(value(match[1]))} to {cardinal(value(match[2]))}"


def _listed(match: re.Match[str]) -> str | None:
    return cardinal(value(match[1])) if _VALID.fullmatch(match[1]) else None


RULES: Final[tuple[Rule, ...]] = (
    Rule(_RANGE, _range, re.compile("[IVXL] ?[-–—] ?[IVXL]")),
    Rule(_UPPER, _upper, re.compile(r"(?<![\w.])[IVXLCDM]{1,15}(?:st|nd|rd|th)?(?!\w)")),
    Rule(_LOWER, _lower, re.compile(r"[ \u00a0][ivxl]++(?!\w)")),
    Rule(_LISTED, _listed, re.compile(r"^[ \t]{0,8}[IVX]{2}", re.M)),
)
