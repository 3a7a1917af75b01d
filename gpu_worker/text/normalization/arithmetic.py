"""Signs of arithmetic between numbers and variables, powers, roots and numbers with an exponent."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import words
from gpu_worker.text.normalization.numerals import PLAIN, SPACE, START
from gpu_worker.text.rewriting import TAKEN, Rule

_LEFT: Final = rf"(?<=[0-9A-Za-z)\u00b2\u00b3%\u2070-\u2079\u03c0{TAKEN}])"
_RIGHT: Final = rf"(?=[-+\u2212.\u221a($\u00a3\u20ac]?[0-9A-Za-z(\u221a\u03c0?{TAKEN}])"
_OPERATOR: Final = re.compile(
    rf"{_LEFT}(?P<left>{SPACE}?)(?P<sign>[-+=*/xX\u00b7\u00d7\u00f7\u2212\u2013\u22c5\u2260\u2248])"
    rf"(?P<right>{SPACE}?)(?P<negative>[-\u2212](?=\.?[0-9]))?{_RIGHT}"
)
_NAMES: Final = {
    "+": "plus", "=": "equals", "*": "times", "\u00b7": "times", "\u00d7": "times", "\u22c5": "times",
    "\u00f7": "divided by", "/": "divided by", "-": "minus", "\u2212": "minus", "\u2013": "minus",
    "x": "times", "X": "times", "\u2260": "does not equal", "\u2248": "is about",
}  # fmt: skip
_NEIGHBOURHOOD: Final = 24
_EQUATION: Final = re.compile(r"[=\u2248\u2260]")


def _say_operator(match: re.Match[str]) -> str | None:
    sign, text = match["sign"], match.string
    if bool(match["left"]) != bool(match["right"]) and not _is_sloppy(match):
        return None
    before, after = _operand(text[match.start() - 1]), _operand(text[match.end()])
    if sign in "-\u2013" and not match["left"] and text[match.end() : match.end() + 2].isalpha():
        return None
    stands_alone = match.start() < 2 or not text[match.start() - 2].isalpha()
    if sign in "xX":
        if not (match["left"] and before and after):
            return None
        return " by " if text[match.start() - 1] == text[match.end()] == TAKEN else " times "
    if sign in "-\u2212\u2013/":
        near = text[max(0, match.start() - _NEIGHBOURHOOD) : match.end() + _NEIGHBOURHOOD]
        numbers = before and after and (sign == "\u2212" or (sign == "/" and match["left"]))
        if not (numbers or ((before or stands_alone) and _EQUATION.search(near))):
            return None
    elif not (before or after or (sign == "=" and stands_alone)):
        return None
    return f" {_NAMES[sign]} {'minus ' if match['negative'] else ''}"


def _is_sloppy(match: re.Match[str]) -> bool:
    """Whether a sign has a space on one side only, in what is an equation all the same: '1- 2 = 5'."""
    text = match.string
    near = text[match.end() : match.end() + _NEIGHBOURHOOD]
    return (
        not match["left"]
        and match["sign"] in "-+*\u2212\u2013"
        and _operand(text[match.start() - 1])
        and _operand(text[match.end()])
        and _EQUATION.search(near) is not None
    )


def _operand(character: str) -> bool:
    return not character.isalpha() and character != "?"


_SUPERSCRIPTS: Final = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b", "0123456789-"
)
_POWER: Final = re.compile(
    rf"(?:(?<=[0-9)\u03c0{TAKEN}])|(?<=(?<![A-Za-z])[A-Za-z])|(?<=mc))"
    r"(?:\^(?P<caret>[-\u2212]?[0-9]{1,6}|[a-z](?!\w))|"
    r"(?P<raised>\u207b?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]{1,6}))"
)


def _say_power(match: re.Match[str]) -> str:
    power = match["caret"] or match["raised"].translate(_SUPERSCRIPTS)
    if power in ("2", "3"):
        return " squared" if power == "2" else " cubed"
    return f" to the power of {words.number(power) if not power.isalpha() else power}"


_SCIENTIFIC: Final = re.compile(
    rf"{START}(?P<sign>[-\u2212]?)(?P<number>{PLAIN})[eE](?P<power>[-+\u2212]?[0-9]{{1,3}})(?!\w|\.[0-9])"
)


def _say_scientific(match: re.Match[str]) -> str:
    number = words.number(match["sign"] + match["number"])
    return f"{number} times ten to the power of {words.number(match['power'].lstrip('+'))}"


RULES: Final[tuple[Rule, ...]] = (
    Rule(_SCIENTIFIC, _say_scientific, re.compile("[0-9][eE][-+\u22120-9]")),
    Rule(_POWER, _say_power, re.compile("[\\^\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207b]")),
    Rule(re.compile(rf"\u221a{SPACE}?(?=[0-9A-Za-z(])"), lambda _: "square root of ", re.compile("\u221a")),
    Rule(re.compile(rf"\u221b{SPACE}?(?=[0-9A-Za-z(])"), lambda _: "cube root of ", re.compile("\u221b")),
    Rule(
        _OPERATOR,
        _say_operator,
        re.compile(
            rf"[+=*\u00b7\u00d7\u00f7\u2212\u22c5\u2260\u2248]|[0-9A-Za-z]{SPACE}/{SPACE}[0-9]"
            rf"|[0-9{TAKEN}] [xX] [0-9{TAKEN}]"
        ),
    ),
    Rule(re.compile(r"(?<=[0-9])\+(?=$|[\s,.;:!?)])"), lambda _: " plus", re.compile(r"[0-9]\+")),
)
