"""Quantities: numbers with sign, decimals, fractions or a magnitude, and two of them as a range."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gpu_worker.text.normalization import words
from gpu_worker.text.normalization.numerals import DASH, PLAIN, SPACE, START
from gpu_worker.text.rewriting import TAKEN

VULGAR: Final = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
    "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8), "⅐": (1, 7),
    "⅑": (1, 9), "⅒": (1, 10),
}  # fmt: skip
VULGAR_CLASS: Final = f"[{''.join(VULGAR)}]"
# What no quantity is without.
NUMERIC: Final = re.compile(f"[0-9{''.join(VULGAR)}]")

_SIGNED: Final = rf"(?:(?<!{TAKEN})[+±]?[-\u2212]?)?{PLAIN}"
_SLASHED: Final = r"(?:[0-9]{1,3}[ -])?[0-9]{1,3}[/\u2044][0-9]{1,4}(?![0-9/\u2044])"
_MIXED: Final = rf"[-\u2212]?(?:[0-9]{{1,4}}{SPACE}?)?{VULGAR_CLASS}"
QUANTITY: Final = rf"(?:{_SLASHED}|{_MIXED}|{_SIGNED})"
# A quantity, or a range of two: groups `low` and `high`.
RANGE: Final = (
    rf"{START}(?<![A-Z]-)(?P<low>{QUANTITY})(?:(?:{SPACE}?{DASH}{SPACE}?|{SPACE}to{SPACE})"
    rf"(?P<high>{QUANTITY}))?"
)

_FRACTION: Final = re.compile(r"(?:([0-9]+)[ -])?([0-9]+)[/\u2044]([0-9]+)")
_SIGNS: Final = {"-": "minus ", "\u2212": "minus ", "+": "plus ", "±": "plus or minus "}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in words; `is_one` where English has the singular after it."""

    spoken: str
    is_one: bool


def fraction(numerator: int, denominator: int) -> str:
    """'one half', 'three quarters', 'seven tenths'; 'over' where no one says the ordinal."""
    small = denominator <= 100 or denominator % 1000 == 0
    if denominator == 0 or not small or (numerator > denominator >= 20):
        return f"{words.cardinal(numerator)} over {words.cardinal(denominator)}"
    if denominator == 1:
        return f"{words.cardinal(numerator)} over one"
    name = {2: "half", 4: "quarter"}.get(denominator) or words.ordinal(denominator)
    return f"{words.cardinal(numerator)} {name if numerator == 1 else words.plural(name)}"


def mixed(whole: str, numerator: int, denominator: int) -> str:
    """'two and one third', 'two and a half'; the fraction alone where `whole` is empty."""
    part = fraction(numerator, denominator)
    if not whole:
        return part
    if numerator == 1 and denominator in (2, 4):
        part = f"a {part.removeprefix('one ')}"
    return f"{words.whole(whole)} and {part}"


def quantity(written: str) -> Quantity:
    """What `written`, a match of QUANTITY, says."""
    signs = ""
    while written[:1] in _SIGNS:
        signs += _SIGNS[written[0]]
        written = written[1:]
    if written[-1:] in VULGAR:
        whole = written[:-1].strip(" \t\u00a0\u2009\u202f")
        return Quantity(signs + mixed(whole, *VULGAR[written[-1]]), is_one=not whole)
    if found := _FRACTION.fullmatch(written):
        whole = found[1] or ""
        is_part = not whole and int(found[2]) <= int(found[3])
        return Quantity(signs + mixed(whole, int(found[2]), int(found[3])), is_one=is_part)
    return Quantity(signs + words.number(written), is_one=written == "1")


def counted(amount: Quantity, unit: str) -> str:
    """'one foot', 'two feet'."""
    return f"{amount.spoken} {unit if amount.is_one else words.plural(unit)}"


def described(amount: Quantity) -> Quantity:
    """`amount` as it stands before a unit in the singular: 'a three quarter inch bolt'."""
    spoken = amount.spoken
    return Quantity(spoken.removesuffix("s") if spoken.endswith("quarters") else spoken, amount.is_one)


def range_of(match: re.Match[str]) -> Quantity:
    """What the groups of RANGE say."""
    low = quantity(match["low"])
    if match["high"] is None:
        return low
    return Quantity(f"{low.spoken} to {quantity(match['high']).spoken}", is_one=False)
