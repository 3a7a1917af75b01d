"""Measures with their units, percentages, angles, dimensions."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import feet_inches, units, words
from gpu_worker.text.normalization.numerals import (
    LETTERED,
    PLAIN,
    SPACE,
    START,
    is_attributive,
    next_word,
    previous_word,
    word_set,
)
from gpu_worker.text.normalization.quantities import NUMERIC, RANGE, counted, described, quantity, range_of
from gpu_worker.text.rewriting import Rule

_SYMBOL: Final = r"[A-Za-z\u00b5\u03bc\u03a9\u2126]{1,5}"
# A full stop after an abbreviated unit belongs to it where the sentence goes on.
_STOP: Final = r"(?:\.(?=[,)]|[ \u00a0][a-z(]|(?<=[A-Za-z]{2}\.)[ \u00a0][0-9]))?"
_QUALIFIER: Final = {"sq": "square ", "square": "square ", "cu": "cubic ", "cubic": "cubic ", "fl": "fl "}
_UNIT: Final = (
    rf"(?:(?P<qualifier>sq|square|cu|cubic|fl)\.?{SPACE})?(?P<unit>N\u00b7m|{_SYMBOL})(?:\^?"
    rf"(?P<power>[23\u00b2\u00b3]))?"
)
_BELOW: Final = r"(?:[/\u2044](?P<below>[A-Za-z]{1,8})(?:\^?(?P<below_power>[23\u00b2\u00b3]))?)?"
_SCALE: Final = rf"(?P<scale>{SPACE}(?:hundred|thousand|million|billion|trillion))?"
_AMOUNT: Final = re.compile(
    rf"{RANGE}{_SCALE}(?P<gap>{SPACE}|-)?{_UNIT}{_BELOW}(?![\w\u00b2\u00b3^]|['\u2019]s\b){_STOP}"
)

# Symbols that are also English words or letters: only where they touch the number.
_ATTACHED_ONLY: Final = frozenset(
    ("in", "A", "T", "M", "K", "F", "C", "a", "st", "pc", "us", "cal", "mo", "B", "b", "t")
)
_INCHES_AFTER: Final = re.compile(r"\.|[,;)]|$|[ ](?:x|by|tall|wide|long|deep|thick|high|of|and|or|per)\b")
_DEGREES: Final = {"C": " Celsius", "F": " Fahrenheit", "K": " Kelvin", "": ""}
_COMPASS: Final = {"N": " north", "S": " south", "E": " east", "W": " west"}


def _say_amount(match: re.Match[str]) -> str | None:
    symbol, gap, qualifier = match["unit"], match["gap"], match["qualifier"]
    if gap not in (None, "-") and symbol in _ATTACHED_ONLY and not qualifier and not _stands_alone(match):
        return None
    if not gap and symbol in ("K", "M", "B", "b", "T", "st", "t") and not match["below"]:
        return None
    if not gap and len(symbol) == 1 and symbol.isupper() and _is_lettered(match):
        return None
    if gap and (symbol == "B" or (symbol == "K" and not _WARM.search(match.string))) and "." in match["low"]:
        return None
    if not gap and len(symbol) == 1 and symbol.isupper() and _is_listed(match):
        return None
    if symbol == "s" and match.string[max(0, match.start() - 1)] == "-":
        return None
    if gap == "-" and match.string[match.end() : match.end() + 1] == "-":
        return None
    if len(symbol) == 1 and symbol.isupper() and match.string[match.end() : match.end() + 1] == "-":
        return None
    if gap == "-" and len(symbol) == 1 and symbol not in "mgLlW":
        return None
    if symbol == "m" and next_word(match) in _COUNTED_IN_MILLIONS:
        return f"{range_of(match).spoken} million"
    if symbol == "bps" and len(match["low"]) < 4:
        symbol = "bp"
    unit = units.find(f"fl {symbol}") if qualifier == "fl" else units.find(symbol, match["power"] or "")
    if unit is None:
        return None
    if qualifier and qualifier != "fl":
        unit = _QUALIFIER[qualifier] + unit
    amount = range_of(match)
    attributive = gap == "-" or ("|" not in unit and not match["below"] and is_attributive(match))
    name = units.spoken(unit, plural_form=not ((amount.is_one and not match["scale"]) or attributive))
    if attributive:
        amount = described(amount)
    if match["below"]:
        below = units.per(match["below"], match["below_power"] or "")
        if below is None:
            return None
        name = f"{name} per {below}"
    return f"{amount.spoken}{match['scale'] or ''} {name}"


_WARM: Final = re.compile("temperature|cool|heat|cold|absolute|melt|boil|conduct|background")
_CONTINENTAL: Final = re.compile(
    rf"{START}([0-9]{{1,3}}),([0-9]{{1,2}})({SPACE}?%|{SPACE}(?:kg|km|cm|mm|m|g|l|L|ml|ha))(?![\w/])"
)
_EVERY: Final = re.compile(r"(?<!\w)q([1-9][0-9]?)h(?:rs?)?(?!\w)")
_CUPS: Final = re.compile(rf"{RANGE}{SPACE}c\.(?={SPACE}[a-z])")
_PER: Final = re.compile(
    rf"{START}({PLAIN})/(kg|lb|oz|L|ml|mL|hr|hour|day|week|wk|month|mo|year|yr|min|minute|sec|second|person|night"
    r"|unit|acre|mile|gallon|serving|child|student|customer|household|guest|family|team)(?![\w/-])"
)


def _say_continental(match: re.Match[str]) -> str:
    """'3,5 kg' with the comma of the continent."""
    symbol = match[3].strip()
    unit = units.spoken(units.find(symbol) or "percent|", plural_form=symbol != "%")
    return f"{words.number(f'{match[1]}.{match[2]}')} {unit}"


def _say_per(match: re.Match[str]) -> str:
    return f"{words.number(match[1])} per {units.per(match[2]) or match[2]}"


_SEATED: Final = re.compile(r"[0-9A-F][A-F][-\u2013]\Z")


def _is_lettered(match: re.Match[str]) -> bool:
    before = previous_word(match)
    return before in LETTERED or before.removesuffix("s") in LETTERED


_COUNTED_IN_MILLIONS: Final = word_set(
    "people users views subscribers followers customers copies downloads viewers voters jobs dollars pounds "
    "euros residents inhabitants members listeners visitors homes households"
)
_LISTED_AFTER: Final = re.compile(r"(?:,|,? (?:and|or|to|not|vs\.?))? ?[0-9]{1,3}([A-Z])(?![\w/])")
_LISTED_BEFORE: Final = re.compile(r"(?:[0-9]|\ue000)([A-Z])(?:,|,? (?:and|or|to|or not|not|vs\.?))? ?\Z")
_SIZED: Final = word_set("shoe shoes boot boots sneaker sneakers sandal sandals width widths feet seat seats")


def _is_listed(match: re.Match[str]) -> bool:
    """Whether a number with another letter stands beside this one, as in '2A, 2B', or it is a shoe's size."""
    text = match.string
    after = _LISTED_AFTER.match(text, match.end())
    before = _LISTED_BEFORE.search(text, max(0, match.start() - 12), match.start())
    if (after and after[1] != match["unit"]) or (before and before[1] != match["unit"]):
        return True
    return next_word(match) in _SIZED


def _stands_alone(match: re.Match[str]) -> bool:
    symbol = match["unit"]
    if symbol == "in":
        return _INCHES_AFTER.match(match.string, match.end("unit")) is not None
    if symbol in ("A", "T", "t", "F", "C", "pc", "cal", "K"):
        return match.string[match.end() : match.end() + 2].strip()[:1] in (
            "",
            ".",
            ",",
            ";",
            ")",
            "?",
            "!",
            "\n",
        )
    return symbol in ("mo", "B")


_SPELLED_DEGREE: Final = re.compile(r"(?<=[0-9] )(degrees?) ([CFK])(?!\w)")


def _say_spelled_degree(match: re.Match[str]) -> str:
    return match[1] + _DEGREES[match[2]]


_PERCENT: Final = re.compile(rf"{RANGE}{SPACE}?(?P<sign>[%\u2030\u066a])")
_PERCENTS: Final = re.compile(
    rf"{START}(?P<low>[-\u2212+]?{PLAIN})%{SPACE}?[-\u2013\u2014]{SPACE}?(?P<high>{PLAIN}){SPACE}?(?P<sign>%)"
)


def _say_percent(match: re.Match[str]) -> str:
    return f"{range_of(match).spoken} {'per mille' if match['sign'] == '‰' else 'percent'}"


_DEGREE: Final = re.compile(
    rf"{RANGE}(?:{SPACE}?[\u00b0\u00ba](?:{SPACE}?(?P<scale>[CFK])(?!\w))?|{SPACE}?"
    rf"(?P<one>[\u2103\u2109])|(?P<bare>[CF])(?=[,;.!?)]|\s|$))"
    rf"(?:{SPACE}?(?P<minutes>[0-9]{{1,2}})[\u2032'])?(?:{SPACE}?(?P<seconds>[0-9]{{1,2}}"
    rf"(?:\.[0-9]{{1,3}})?)[\u2033\"])?"
    r"(?:[ ]?(?P<compass>[NSEW])(?!\w))?"
)


def _say_degree(match: re.Match[str]) -> str | None:
    if match["bare"] and (
        _is_lettered(match) or _SEATED.search(match.string, max(0, match.start() - 3), match.start())
    ):
        return None
    amount = range_of(match)
    scale = match["scale"] or match["bare"] or {"\u2103": "C", "\u2109": "F"}.get(match["one"] or "", "")
    if not scale and not match["compass"] and is_attributive(match):
        return f"{amount.spoken} degree"
    parts = [counted(amount, "degree") + _DEGREES[scale]]
    if match["minutes"]:
        parts.append(counted(quantity(match["minutes"]), "minute"))
    if match["seconds"]:
        parts.append(counted(quantity(match["seconds"]), "second"))
    return " ".join(parts) + _COMPASS.get(match["compass"] or "", "")


_X: Final = rf"{SPACE}?[xX\u00d7]{SPACE}?"
_MARK: Final = "['\u2032\"\u2033\u201d\u2019]"
_BY: Final = re.compile(
    rf"{START}({PLAIN}){_MARK}?({_X})({PLAIN})(?:{_MARK}?{_X}({PLAIN}))?"
    rf"(?:{SPACE}?(mm|cm|dm|m|km|in|ft|yd|px|nm|[\u00b5\u03bc]m|inches|feet|(?<=[0-9]){_MARK})"
    rf"(?P<power>[23\u00b2\u00b3](?!\w))?(?![A-Za-z/])|(?P<many>s))?(?!\w)(?!{SPACE}?=)"
)
_LONG_UNITS: Final = {
    "inches": "inch", "feet": "foot", "'": "foot", "\u2032": "foot", "\u2019": "foot", "\u2033": "inch",
    "\u201d": "inch", '"': "inch",
}  # fmt: skip


def _say_dimensions(match: re.Match[str]) -> str | None:
    if match[5] == "in" and not _INCHES_AFTER.match(match.string, match.end(5)):
        return None
    unit = units.find(match[5], match["power"] or "") if match[5] else None
    if match[5] in _LONG_UNITS:
        unit = _LONG_UNITS[match[5]]
    if unit is None and "\u00d7" in match[2] and match[2].strip() != match[2]:
        return None
    numbers = [number for number in (match[1], match[3], match[4]) if number]
    sizes = [_pixels(number) if unit is None else words.number(number) for number in numbers]
    name = f" {units.spoken(unit, plural_form=not is_attributive(match))}" if unit else ""
    spoken = " by ".join(sizes) + name
    return words.plural(spoken) if match["many"] else spoken


def _pixels(number: str) -> str:
    if number.isdigit() and len(number) == 4 and number[0] != "0":
        return words.year(int(number))
    return words.number(number)


_TIMES: Final = re.compile(rf"{RANGE}[xX\u00d7](?=[\s,.;:!?)]|/[a-z]|$)(?!{SPACE}?[-+=*^]|{SPACE}?/[^a-z])")


def _say_times(match: re.Match[str]) -> str | None:
    if match["high"] and match[0][-1] == "X":
        return None
    return f"{range_of(match).spoken} times"


RULES: Final[tuple[Rule, ...]] = (
    Rule(_DEGREE, _say_degree, re.compile("[0-9][ \u00a0]?[\u00b0\u00ba\u2103\u2109CF]")),
    Rule(_BY, _say_dimensions, re.compile("[0-9]['\u2032\"\u2033\u201d\u2019]?[ \u00a0]?[xX\u00d7]")),
    *feet_inches.RULES,
    Rule(_CONTINENTAL, _say_continental, re.compile("[0-9],[0-9]{1,2}(?![0-9])")),
    Rule(_PERCENTS, _say_percent, re.compile("%")),
    Rule(_PERCENT, _say_percent, re.compile("[%\u2030\u066a]")),
    Rule(_SPELLED_DEGREE, _say_spelled_degree, re.compile("degrees? [CFK]")),
    Rule(_TIMES, _say_times, re.compile("[0-9][xX\u00d7]")),
    Rule(_EVERY, lambda match: f"every {words.whole(match[1])} hours", re.compile("q[0-9]")),
    Rule(_CUPS, lambda match: counted(range_of(match), "cup"), re.compile(r" c\. ")),
    Rule(_PER, _say_per, re.compile("[0-9]/[a-zL]")),
    Rule(_AMOUNT, _say_amount, NUMERIC),
)
