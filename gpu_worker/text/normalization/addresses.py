"""Rules for the parts of postal addresses: house numbers, directions, kinds of streets, states, ZIP codes."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization.abbreviation_words import (
    DIRECTIONS,
    STATE_WORDS,
    STATES,
    STREETS,
    SURE_STREETS,
    UNITS,
    UNSURE_STATES,
)
from gpu_worker.text.normalization.context import (
    SENTENCE_STARTERS,
    ends_sentence,
    word_after,
    word_before,
)
from gpu_worker.text.normalization.numerals import word_set
from gpu_worker.text.normalization.words import cardinal, code, digits, pair
from gpu_worker.text.rewriting import TAKEN, Rule

_SPACE: Final = r"[ \u00a0]"
_NAME: Final = r"(?:[A-Z][\w'’]{0,30}+\.?|\d{1,3}(?:st|nd|rd|th)|of|the|de|la)"
_NAMES: Final = rf"(?:{_NAME}{_SPACE})"
# A direction, as it is written or taken already.
_TO: Final = rf"(?:[NSEW{TAKEN}]{{1,2}}[.{TAKEN}]?{_SPACE})?"
_KINDS: Final = (
    "Street|St|Avenue|Ave|Av|Boulevard|Blvd|Road|Rd|Lane|Ln|Court|Ct|Drive|Dr|Highway|Hwy|Parkway|Pkwy|Place|Pl"
    "|Square|Sq|Terrace|Ter|Circle|Cir|Way|Plaza|Row|Alley|Crescent|Broadway|Trail|Trl|Loop|Turnpike|Tpke|Pike|Expressway|Expy|Freeway|Fwy"
    "|Crossing|Xing|Close|Walk|hwy|blvd|ave|expy|pkwy|st"
)
_KIND_NAMES: Final = frozenset(_KINDS.split("|"))
_HOUSE: Final = re.compile(
    r"(?<![\w.,/$€£:–-])(\d{1,5})([A-Za-z](?![A-Za-z]))?"
    rf"(?=,?{_SPACE}{_TO}{_NAMES}{{0,4}}?(?:{_KINDS})(?!\w))"
)
_HOUSE_BEFORE: Final = re.compile(rf"(?<![\w.])[0-9{TAKEN}]{{1,5}}[A-Za-z]?,?{_SPACE}{_TO}{_NAMES}{{1,4}}\Z")
_NOT_HOUSES: Final = word_set(
    """
    in since by until before after during january february march april may june july august september
    october november december no highway route hwy interstate apartment unit
    """
)
_ABBREVIATED: Final = "St|Dr|Ave|Av|Blvd|Rd|Ln|Ct|Hwy|Pkwy|Pl|Sq|Ter|Cir|Expy|Fwy|Tpke|Rte|Aly|Cres|Trl|Xing"
_STREET: Final = re.compile(rf"(?<![\w.'’])(?:{_ABBREVIATED}|hwy|blvd|ave|expy|pkwy|st)(\.?)(?![\w'’]|\.\w)")
_UNIT: Final = re.compile(
    r"(?<![\w.])(?:(Apt|Ste|Fl|Rm|Bldg|Hwy|Rte|Rt|Ext)\.?|(apt|ste|fl|rm|bldg|ext)\.)"
    r" ?(?:#[ ]?)?(?:(\d{1,4})([A-Z])?(?!\w|[.,/-]\d)|(?=\d|[A-Z]\b))"
)
_KNOWN_STREETS: Final = word_set(
    "Wall Main Elm Oak Maple Pine Cedar High Market Church Park State Broad Canal Bourbon Fleet Baker Downing"
)
_FLOOR: Final = re.compile(r"(?<=\d(?:st|nd|rd|th) )Fl(?:\.|(?=\W|$))")
_TOWARDS: Final = r"([NS]\.?[EW]|[NSEW])"
_DIRECTION_FIRST: Final = re.compile(
    rf"(?<=\d{_SPACE}){_TOWARDS}\.?(?={_SPACE}{_NAMES}{{0,3}}(?:{_KINDS})(?!\w))"
)
_DIRECTION_LAST: Final = re.compile(rf"(?<=[A-Za-z.,]{_SPACE}){_TOWARDS}(?:\.(?!\w))?(?![\w&'’])")
_DIRECTION_NAMED: Final = re.compile(
    rf"(?<![\w.]){_TOWARDS}\.?"
    rf"(?={_SPACE}(?:[A-Z][\w'’]{{0,30}}+|\d{{1,3}}(?:st|nd|rd|th)){_SPACE}(?:{_KINDS})(?!\w))"
)
_ROUTE_DIRECTION: Final = re.compile(r"(?<=\d )([NSEW])(?![\w&'’.])")
_ROUTE: Final = re.compile(r"(?<!\w)(?:I|US|SR|CR|Hwy|Highway|Route|Rte|Rt)[- ]\d{1,3} \Z")
_CODES: Final = "|".join(STATES)
_ZIP: Final = rf"(,?{_SPACE}{{1,2}})(\d{{5}})(?:-(\d{{4}}))?"
_STATE: Final = re.compile(rf"(?<=[A-Za-z.],{_SPACE})({_CODES})(?![\w'’&]|\.\w|-\w)(?:{_ZIP}(?!\w))?")
_STATE_ZIP: Final = re.compile(rf"(?<=[a-z]{_SPACE})({_CODES}){_ZIP}(?![\w,.]\d|\w)")
_PARTY: Final = re.compile(rf"(?<=\b[DRI]-)({_CODES})(?!\w)")
_STATE_NAMES: Final = frozenset(STATES.values())
_ZIP_ALONE: Final = re.compile(r"(?<=[a-z] )(\d{5})(?:-(\d{4}))?(?![\w]|[.,]\d)")
_STATE_WORD: Final = re.compile(rf"(?<=[a-z.],{_SPACE})([A-Z][a-z]{{1,5}})\.(?!\w)")
_BOX: Final = re.compile(r"(?<![\w.])P\.? ?O\.? Box(?!\w)")
# A city, and before it what makes a place of it.
_PLACED: Final = re.compile(
    rf"(?:^|[\n(\"“]|\d{_SPACE}|,{_SPACE}|\b(?:in|from|to|near|at|of|outside|around|for|visit|leave|leaving|through"
    rf"|via|is|was|and),?{_SPACE})(?:[A-Z][\w.'’-]{{1,20}}+{_SPACE}?){{1,3}},{_SPACE}\Z"
)
_STUDIED: Final = re.compile(r" in [A-Z]")
_INTERJECTIONS: Final = word_set(
    """
    well ah yes no hey okay so um oh fine right now alright listen look please
    """
)


def house_number(written: str) -> str:
    """A house number: '123' is 'one twenty-three', '1600' 'sixteen hundred', five digits one by one."""
    n = int(written)
    if written[0] == "0" or len(written) == 5:
        return cardinal(n) if n % 1000 == 0 and n else digits(written)
    if len(written) < 3 or n % 1000 == 0 or (len(written) == 3 and n % 100 == 0):
        return cardinal(n)
    if len(written) == 3:
        rest = n % 100
        return f"{cardinal(n // 100)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"
    return pair(n // 100, n % 100)


def _house(match: re.Match[str]) -> str | None:
    before = word_before(match.string, match.start()).lower().rstrip(".,")
    if before in _NOT_HOUSES or before in (
        "no",
        "highway",
        "route",
        "hwy",
        "interstate",
        "apartment",
        "unit",
    ):
        return None
    return house_number(match[1]) + (f" {match[2].upper()}" if match[2] else "")


def _street(match: re.Match[str]) -> str | None:
    """A kind of street after its name: 'Elm St.' but not 'St. James' and 'Dr. Smith'."""
    text, at = match.string, match.start()
    kind = match[0].removesuffix(".").lower()
    before, following = word_before(text, at), word_after(text, match.end())
    if not (_is_name(before) or (before in ("Jr.", "Sr.") and kind != "st")):
        return None
    capital = following[:1].isupper() and text[match.end() : match.end() + 1] in " \u00a0"
    addressed = _HOUSE_BEFORE.search(text[max(0, at - 60) : at]) is not None
    if not addressed:
        if match[0][0].islower():
            return None
        if not match[1] and kind not in SURE_STREETS and (capital or kind != "st" or before.isupper()):
            return None
        goes_on = capital and following not in DIRECTIONS and following.lower() not in SENTENCE_STARTERS
        if goes_on and kind in ("st", "dr") and not before[0].isdigit() and before not in _KNOWN_STREETS:
            return None
    stop = "." if match[1] and ends_sentence(text, at, match.end()) else ""
    return f"{STREETS[kind]}{stop}"


def _is_name(word: str) -> bool:
    """Whether a street may be called so: 'Elm', '5th' or 'N.'."""
    if word.endswith("."):
        return word[:-1] in DIRECTIONS
    return (
        (word[:1].isupper() or word[:1].isdigit())
        and not word.isdigit()
        and word.lower() not in SENTENCE_STARTERS
    )


def _unit(match: re.Match[str]) -> str:
    spoken = UNITS[(match[1] or match[2]).lower()]
    if match[3]:
        return f"{spoken} {code(match[3])}{' ' + match[4] if match[4] else ''}"
    gap = " " if match[0][-1] in " .#" or match.string[match.end()].isalnum() else ""
    return f"{spoken}{gap}"


def _direction(match: re.Match[str]) -> str:
    stop = "." if match[0].endswith(".") and ends_sentence(match.string, match.start(), match.end()) else ""
    return f"{DIRECTIONS[match[1].replace('.', '')]}{stop}"


def _route_direction(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 16) : match.start()]
    return DIRECTIONS[match[1]] if _ROUTE.search(before) else None


def _direction_last(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 24) : match.start()].rstrip(" \u00a0,.")
    return _direction(match) if re.split(r"[ \u00a0]", before)[-1] in _KIND_NAMES else None


def _zip(first: str, rest: str | None) -> str:
    return digits(first) + (f" dash {digits(rest)}" if rest else "")


def _state(match: re.Match[str]) -> str | None:
    name, gap, code, rest = match.groups()
    if code:
        return f"{STATES[name]}{gap}{_zip(code, rest)}"
    text, at = match.string, match.start()
    left = text[max(0, at - 60) : at]
    city = word_before(left[:-2] + " ", len(left) - 1)
    if not city[:1].isupper() or city.lower() in _INTERJECTIONS or city.isupper():
        return None
    if name in UNSURE_STATES and not _PLACED.search(left):
        return None
    if name in ("MS", "MA") and _STUDIED.match(text, match.end()):
        return None
    if name in ("OR", "IN", "ME", "OK", "HI", "OH") and word_after(text, match.end()).islower():
        return None
    return STATES[name]


def _zip_alone(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 24) : match.start()].rstrip()
    return _zip(match[1], match[2]) if before.rpartition(", ")[2] in _STATE_NAMES else None


def _state_zip(match: re.Match[str]) -> str:
    return f"{STATES[match[1]]}{match[2]}{_zip(match[3], match[4])}"


def _state_word(match: re.Match[str]) -> str | None:
    said = STATE_WORDS.get(match[1].lower())
    if said is None:
        return None
    return f"{said}{'.' if ends_sentence(match.string, match.start(), match.end()) else ''}"


_ADDRESS: Final = re.compile(rf"(?<![A-Za-z])(?:{_KINDS})(?!\w)")
_CAPITALS: Final = re.compile(r",[ \u00a0][A-Z][A-Z]")

RULES: Final[tuple[Rule, ...]] = (
    Rule(_BOX, lambda match: "P O Box", re.compile("Box")),
    Rule(_STATE, _state, _CAPITALS),
    Rule(_STATE_ZIP, _state_zip, re.compile(r"[A-Z]{2}[ \u00a0]{1,2}\d{5}")),
    Rule(_ZIP_ALONE, _zip_alone, re.compile(r"[a-z] \d{5}")),
    Rule(_PARTY, lambda match: STATES[match[1]], re.compile("[DRI]-[A-Z]{2}")),
    Rule(_STATE_WORD, _state_word, re.compile(r",[ \u00a0][A-Z][a-z]{1,5}\.")),
    Rule(_ROUTE_DIRECTION, _route_direction, re.compile(r"\d [NSEW]")),
    Rule(_DIRECTION_FIRST, _direction, _ADDRESS),
    Rule(_DIRECTION_LAST, _direction_last, _ADDRESS),
    Rule(_DIRECTION_NAMED, _direction, _ADDRESS),
    Rule(_HOUSE, _house, _ADDRESS),
    Rule(_STREET, _street, re.compile(rf"(?<![a-z])(?:{_ABBREVIATED}|hwy|blvd|ave|expy|pkwy|st)(?![a-z])")),
    Rule(_FLOOR, lambda match: "floor", re.compile(r"[dht] Fl")),
    Rule(_UNIT, _unit, re.compile(r"(?<!\w)(?:Apt|Ste|Fl|Rm|Bldg|Hwy|Rte?|Ext)(?![a-z])", re.I)),
)
