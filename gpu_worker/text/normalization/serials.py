"""Numbers that are names: 'No. 5', '#1', 'GPT-4', 'A320', '3D', '0x1F', house numbers."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import words
from gpu_worker.text.normalization.numerals import LETTERED, SPACE, is_count, previous_word, word_set
from gpu_worker.text.rewriting import Rule

_NUMBER_SIGN: Final = re.compile(rf"(?<![\w&#/])(?:#|\u2116{SPACE}?)(?=[0-9]{{1,12}}(?![A-Za-z0-9]))")
_NUMBER_WORD: Final = re.compile(
    rf"(?<!\w)(?:[Nn]o(?P<many>s)?\.|NO\.|[Nn]r\.){SPACE}?(?=[0-9])|(?<=[a-z] )No (?=[0-9]{{1,4}}(?!\w))"
)
_RETIREMENT: Final = re.compile(r"(?<!\w)(401|403|457|501)\s?\(([a-z])\)(?:\(([0-9])\))?")
_HEX: Final = re.compile(r"(?<!\w)0[xX]([0-9A-Fa-f]{1,32})(?!\w)")
_HOUSE: Final = re.compile(
    rf"(?<![\w.,$-])(?P<number>[0-9]{{3,4}}|[0-9]{{5}})(?={SPACE}(?:[NSEW]\.?{SPACE}|North{SPACE}"
    rf"|South{SPACE}|East{SPACE}|West{SPACE})?"
    rf"(?:(?:[A-Z][a-z]{{1,20}}|[0-9]{{1,3}}(?:st|nd|rd|th))\.?{SPACE}){{1,3}}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Way|Court|Ct|Place|Pl|Square|Sq"
    r"|Parkway|Pkwy"
    r"|Highway|Hwy|Terrace)\b)"
)
# Digits that touch a letter before them; a hyphen in between is not said.
_AFTER_LETTER: Final = re.compile(
    r"(?<=[A-Za-z])(?P<dash>-?)(?P<digits>[0-9]++)(?P<part>\.[0-9]{1,4}(?![\w.]))?(?P<plural>s(?!\w))?"
    r"(?P<more>(?:-[0-9]{1,12}(?![0-9]|\.[0-9])){0,4})(?P<letter>(?=[A-Za-z]))?"
)
_BEFORE_LETTER: Final = re.compile(
    r"(?:(?<=\ue000)-)?(?<!\w)(?<![0-9][.,])(?P<whole>[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)"
    r"(?P<part>\.[0-9]++)?(?:(?P<scale>[kKMB])(?![\w/-])|(?=[A-Za-z]))"
)


# 'Q1-Q4', 'A1–A12': a span of what is numbered behind the same letter.
_LETTERED_SPAN: Final = re.compile(
    r"(?<![\w.-])(?P<letter>[A-Z])(?P<low>[0-9]{1,3})[-\u2013](?P=letter)(?P<high>[0-9]{1,3})(?![\w-]|\.[0-9])"
)
_TEAM: Final = re.compile(r"(?<![\w.])([1-9][0-9])ers(?!\w)")
_WIRELESS: Final = re.compile(r"(?<![\w.])802\.([0-9]{1,2})([a-z]{1,3})?(?!\w)")
_LETTERED_SIGN: Final = re.compile(r"(?<![\w&#/])#(?=[A-Z]{1,4}-[0-9])")
_SECRET: Final = re.compile(
    r"\b(?:otp|pin|code|passcode|password|serial|voucher|coupon)\b[^.!?]{0,12}\Z", re.IGNORECASE
)


_ANSWERED: Final = word_set("said answered replied told")


def _say_number_word(match: re.Match[str]) -> str | None:
    """'No. 5', but not 'He said no. 5 minutes later'."""
    if match[0][0] == "n" and previous_word(match) in _ANSWERED:
        return None
    return "numbers " if match["many"] else "number "


def _say_lettered_span(match: re.Match[str]) -> str | None:
    if int(match["low"]) >= int(match["high"]):
        return None
    letter = match["letter"]
    return f"{letter} {words.code(match['low'])} to {letter} {words.code(match['high'])}"


def _say_team(match: re.Match[str]) -> str:
    return f"{words.whole(match[1]).removesuffix('e')}ers"


def _say_wireless(match: re.Match[str]) -> str:
    letters = f" {' '.join(match[2])}" if match[2] else ""
    return f"eight oh two point {words.whole(match[1])}{letters}"


def _say_house(match: re.Match[str]) -> str:
    return words.code(match["number"])


def _say_after_letter(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 24) : match.start()]
    secret = len(match["digits"]) > 2 and _SECRET.search(before.rpartition(" ")[0]) is not None
    spoken = words.digits(match["digits"]) if secret else words.code(match["digits"])
    if match["part"]:
        spoken = f"{words.whole(match['digits'])} point {words.digits(match['part'])}"
    if match["plural"]:
        spoken = words.plural(spoken)
    spoken = " ".join([spoken, *(words.code(more) for more in match["more"].split("-")[1:])])
    return f" {spoken}{' ' if match['letter'] is not None else ''}"


def _say_before_letter(match: re.Match[str]) -> str:
    whole, part, scale = match["whole"], match["part"], match["scale"]
    if scale and previous_word(match) in LETTERED:
        return f"{words.code(whole)} {scale}"
    if scale == "k" and previous_word(match) in ("a", "annual") and not part and not is_count(match):
        scale = "K"
    number = words.number(whole + (part or ""))
    name = words.code(whole) if len(whole) > 2 and not part and "," not in whole else number
    if match[0][0] == "-":
        name = f" {name}"
    if scale is None:
        return f"{name} "
    if scale == "k" or (scale == "K" and (part or is_count(match))):
        return f"{number} thousand"
    if scale == "M":
        return f"{number} million"
    if scale == "B" and (part or is_count(match)):
        return f"{number} billion"
    return f"{name} {scale}"


def _say_hex(match: re.Match[str]) -> str:
    characters = [words.digits(c) if c.isdigit() else c.upper() for c in match[1]]
    return f"zero x {' '.join(characters)}"


def _say_retirement(match: re.Match[str]) -> str:
    last = f" {words.digits(match[3])}" if match[3] else ""
    return f"{words.code(match[1])} {match[2]}{last}"


NAMED: Final[tuple[Rule, ...]] = (
    Rule(_LETTERED_SPAN, _say_lettered_span, re.compile("[0-9][-\u2013][A-Z][0-9]")),
    Rule(_HEX, _say_hex, re.compile("0[xX]")),
    Rule(_RETIREMENT, _say_retirement, re.compile(r"[0-9]\s?\([a-z]\)")),
    Rule(_TEAM, _say_team, re.compile("[0-9]ers")),
    Rule(_WIRELESS, _say_wireless, re.compile("802[.]")),
    Rule(_LETTERED_SIGN, lambda _: "number ", re.compile("#[A-Z]")),
    Rule(_NUMBER_SIGN, lambda _: "number ", re.compile("[#\u2116]")),
    Rule(
        _NUMBER_WORD,
        _say_number_word,
        re.compile(r"[Nn][oOr]s?(?:\.\s?| )[0-9]"),
    ),
    Rule(_HOUSE, _say_house, re.compile("[0-9]{3} ")),
)
TOUCHING: Final[tuple[Rule, ...]] = (
    Rule(_AFTER_LETTER, _say_after_letter, re.compile("[A-Za-z]-?[0-9]")),
    Rule(_BEFORE_LETTER, _say_before_letter, re.compile("[0-9][A-Za-z]")),
)
