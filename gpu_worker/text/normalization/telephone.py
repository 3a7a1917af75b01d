"""Telephone numbers and other long numbers that are read digit by digit."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import words
from gpu_worker.text.normalization.numerals import NUMBERED, SPACE, next_word, previous_word, word_set
from gpu_worker.text.rewriting import Rule

_EXTENSION: Final = (
    rf"(?:,?{SPACE}?(?P<ext>(?:[Ee]xt(?:ension|n)?\.?|x){SPACE}?(?P<extension>[0-9]{{1,6}})))?"
)
_NORTH_AMERICAN: Final = re.compile(
    rf"(?<![\w.,$-])(?:\+?(?P<country>1)(?:{SPACE}|[-.])?)?(?:\((?P<area>[0-9]{{3}})\)(?:{SPACE}|[-.])?|"
    rf"(?P<area2>[0-9]{{3}})(?:{SPACE}|[-.]))"
    rf"(?P<exchange>[0-9]{{3}})(?:{SPACE}|[-.])(?P<line>[0-9]{{4}})(?![\w]|[-.][0-9]){_EXTENSION}"
)
_INTERNATIONAL: Final = re.compile(
    rf"(?<![\w.,])\+(?P<numbers>[0-9]{{1,3}}(?:(?:{SPACE}|[-.])?\(?[0-9]{{1,4}}\)?){{2,5}})"
    rf"(?![\w]){_EXTENSION}"
)
_NATIONAL: Final = re.compile(
    rf"(?<![\w.,-])(?P<numbers>\(?0[0-9]{{2,4}}\)?(?:(?:{SPACE}|-)[0-9]{{3,7}}){{1,2}})(?![\w]"
    rf"|[-.,][0-9]){_EXTENSION}"
)
_LOCAL: Final = re.compile(
    rf"(?<![\w.,$-])(?P<exchange>[2-9][0-9]{{2}})(?P<gap>-|{SPACE})(?P<line>[0-9]{{4}})(?![\w]|[-.,][0-9]"
    rf"|%){_EXTENSION}"
)
_VANITY: Final = re.compile(
    r"(?<![\w.,-])(?P<country>1)[- ](?P<area>8[0-9]{2})[- ](?P<name>[A-Z0-9]{2,10}"
    r"(?:-[A-Z0-9]{1,10}){0,2})(?!\w)"
)
_EMERGENCY: Final = re.compile(
    r"(?<![\w.,$/-])(?:9-1-1|911|999|112|411|311|211|511|611|811|988|101|111)(?![\w]|[.,/:-][0-9]|%)"
)
_CARD: Final = re.compile(
    rf"(?<![\w.,-])(?:[0-9]{{4}}(?:{SPACE}|-)[0-9]{{4}}(?:{SPACE}|-)[0-9]{{4}}(?:{SPACE}|-)[0-9]{{4}}"
    rf"|[0-9]{{4}}(?:{SPACE}|-)[0-9]{{6}}(?:{SPACE}|-)[0-9]{{5}})(?![\w]|-[0-9])"
)
_CHAIN: Final = re.compile(r"(?<![\w.,-])[0-9]{1,13}(?:-[0-9]{1,13}){2,}+(?:-[Xx])?(?![\w])")
_CODE: Final = re.compile(
    rf"(?<=[A-Za-z:.#])(?P<lead>(?:{SPACE}?(?:[Nn]umber|[Nn]o\.|[Ii][Dd]|[Cc]ode|is))?:?{SPACE}?)"
    rf"(?P<hash>#{SPACE}?)?(?P<digits>[0-9]{{3,40}})(?:-(?P<more>[0-9]{{4}}))?(?![\w]|[.,:/-][0-9]|%)"
)

_CALLS: Final = word_set(
    "call called calling calls dial dialed dialing dialled dialling phone phoned ring rang text texted "
    "texting"
)
_CALLING: Final = re.compile(
    r"\b(?:call(?:ed|ing|s)?|dial(?:l?ed|l?ing|s)?|phone[ds]?|r[ia]ng|text(?:ed|ing)?|hotline|lifeline"
    r"|line|emergency)"
    r"(?: number)?(?: is| at|:)? ?\Z",
    re.IGNORECASE,
)
_REACH: Final = 28
_ALONE: Final = 12
_CLOSERS: Final = " \n\t.!?\"'"
_TELEPHONES: Final = word_set("tel tel. phone telephone fax mobile cell call dial")
_CALLED: Final = word_set(
    "call calls operator operators dispatcher dispatchers emergency caller lifeline hotline"
)
_STATES: Final = word_set(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC "
    "ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR"
)
_TOLL_FREE: Final = {"800": "eight hundred", "900": "nine hundred"}
_SPLIT: Final = re.compile(r"[^0-9]+")


def _grouped(*groups: str | None) -> str:
    return ", ".join(_TOLL_FREE.get(group) or words.digits(group) for group in groups if group)


def _extension(match: re.Match[str]) -> str:
    return f", extension {words.digits(match['extension'])}" if match["extension"] else ""


def _say_north_american(match: re.Match[str]) -> str:
    plus = "plus " if match[0].startswith("+") else ""
    area = match["area"] or match["area2"]
    return plus + _grouped(match["country"], area, match["exchange"], match["line"]) + _extension(match)


def _say_numbers(match: re.Match[str]) -> str | None:
    digits = sum(character.isdigit() for character in match["numbers"])
    international = match[0].startswith("+")
    if not (7 if international else 9) <= digits <= 15:
        return None
    groups = _SPLIT.split(match["numbers"])
    return ("plus " if international else "") + _grouped(*groups) + _extension(match)


def _say_local(match: re.Match[str]) -> str | None:
    exchange, line = match["exchange"], match["line"]
    if match["gap"] != "-" and exchange != "555" and previous_word(match) not in _TELEPHONES:
        return None
    if (
        match["extension"] is None
        and exchange != "555"
        and line.endswith("0")
        and previous_word(match) not in _CALLS
    ):
        return None
    return _grouped(exchange, line) + _extension(match)


def _say_vanity(match: re.Match[str]) -> str | None:
    if not any(character.isalpha() for character in match["name"]):
        return None
    name = " ".join(
        words.digits(part) if part.isdigit() else part.lower() for part in match["name"].split("-")
    )
    return f"{_grouped(match['country'], match['area'])}, {name}"


def _say_emergency(match: re.Match[str]) -> str | None:
    alone = len(match.string) < _ALONE and match.string.strip(_CLOSERS) == match[0] == "911"
    called = alone or match[0] == "9-1-1" or next_word(match) in _CALLED
    if not called and not _CALLING.search(match.string[max(0, match.start() - _REACH) : match.start()]):
        return None
    return words.digits(match[0])


def _say_groups(match: re.Match[str]) -> str:
    return _grouped(*_SPLIT.split(match[0]))


def _say_chain(match: re.Match[str]) -> str:
    groups = match[0].split("-")
    if all(len(group) <= 2 for group in groups) and len(groups) <= 6:
        return " ".join(words.whole(group) for group in groups)
    return _grouped(*groups) + (" X" if groups[-1] in ("X", "x") else "")


def _say_code(match: re.Match[str]) -> str | None:
    digits = match["digits"]
    before = match.string[max(0, match.start() - 24) : match.start()]
    word = before[before.rfind(" ") + 1 :].strip("(\"'.:,#")
    lead = match["lead"].strip(" :").lower()
    if len(digits) == 5 and (
        word in _STATES or (word.lower() == "zip" or (lead == "code" and word.lower() in ("zip", "postal")))
    ):
        return f"{match['lead'].rstrip()} {_grouped(digits, match['more'])}"
    if match["more"] or not (word.lower() in NUMBERED or lead in ("id", "code")):
        return None
    if len(digits) == 3 or (len(digits) == 4 and match["hash"] and not lead):
        return None
    written = match["lead"].rstrip()
    if match["hash"] or lead.startswith("no"):
        written = f"{written.removesuffix(match['lead'].strip()).rstrip()} number"
    return f"{written} {words.digits(digits)}"


_SEPARATED: Final = re.compile(rf"[0-9)](?:{SPACE}|[-.])[0-9]{{3}}")
_HYPHENATED: Final = re.compile("[0-9]-[0-9]")

# Telephone numbers with their extensions come before what else could take the words around them.
EARLY_RULES: Final[tuple[Rule, ...]] = (
    Rule(_VANITY, _say_vanity, re.compile("1[- ]8[0-9]{2}[- ]")),
    Rule(_CARD, _say_groups, re.compile(rf"[0-9]{{4}}(?:{SPACE}|-)[0-9]{{4}}")),
    Rule(_NORTH_AMERICAN, _say_north_american, _SEPARATED),
    Rule(_INTERNATIONAL, _say_numbers, re.compile(r"\+[0-9]")),
    Rule(_NATIONAL, _say_numbers, _SEPARATED),
    Rule(_LOCAL, _say_local, re.compile("[0-9]{3}[- ][0-9]{4}")),
)
RULES: Final[tuple[Rule, ...]] = (
    Rule(_CHAIN, _say_chain, re.compile("[0-9]-[0-9]{1,13}-[0-9]")),
    Rule(_EMERGENCY, _say_emergency, re.compile("[1-9](?:11|12|88|01|99)|9-1-1")),
    Rule(_CODE, _say_code, re.compile("[0-9]{4}")),
)
