"""Rules for titles and abbreviations; a full stop that also ends the sentence stays."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import calendar_names, initials
from gpu_worker.text.normalization.abbreviation_words import (
    ALSO_WORDS,
    ANYWHERE,
    BARE,
    BARE_TITLES,
    BEFORE_NUMBERS,
    CAPITALISED,
    DOTTED,
    MONTHS,
    SLASHED,
    TITLES,
    WEEKDAYS,
)
from gpu_worker.text.normalization.calendar_names import say_abbreviated
from gpu_worker.text.normalization.context import (
    SENTENCE_STARTERS,
    ends_sentence,
    kept_stop,
    word_after,
    word_before,
)
from gpu_worker.text.normalization.numerals import word_set
from gpu_worker.text.normalization.spelling import spelled
from gpu_worker.text.rewriting import TAKEN, Rule

_SPECIAL: Final = re.compile(
    r"(?<![\w.])(?:et al|Ph\.?[ ]?D(?:\.?s)?|D\.Phil|M\.Phil|B\.Sc|M\.Sc|Ed\.D|Psy\.D"
    r"|Pharm\.D|LL\.[BMD]|Litt\.D"
    r"|p\.a|[eE]\.[ ]?g|[iI]\.[ ]?e|[aA]\.k\.a)"
    r"(?:\.(?!\w)|(?<=\.[A-Za-z])(?![\w.]))"
)
_DOTTED: Final = re.compile(r"(?<![\w.'’@#/-])([A-Za-z]{1,7}(?:['’][a-z])?)\.(?![\w@]|\.)")
_BARE: Final = re.compile(r"(?<![\w.'’@#/-])([A-Za-z]{2,6}(?:['’][a-z])?)(?![\w'’.@/-])")
_SLASHED: Final = re.compile(
    r"(?<![\w/.])(?:w/(?:o(?:ut)?(?!\w)|in(?!\w)|(?![A-Za-z](?!\w)))|(?:km/h|y/[oy]|either/or|he/she|she/he|his/hers?|him/her|yes/no|q/q|a/c|b/[cw]|c/o|n/a|and/or|s/he)(?!\w))(?!/)",
    re.I,
)
_JOINED_TITLE: Final = re.compile(r" (?:and|or|&) [A-Z][a-z]{0,8}\. [A-Z]")
# Acronyms that no one says as words, in small letters.
_SMALL_LETTERS: Final = re.compile(
    r"(?<![\w.'’@#/-])(b?cc|cds?|ceo|cpu|cto|cfo|dj|dna|dvd|fbi|fyi|gps|gpu|hiv|html|https?|mph|nba|nfl|pc|pdf|php|rpm|sms|sql"
    r"|ssd|tv|ufo|url|usa|usb|vpn|xml)(s)?(?![\w.@/-])"
)
_NUMBER_NEXT: Final = re.compile(rf"[ \u00a0]?(?:[0-9#§{TAKEN}]|[IVXL]{{2,8}}\b|[VX]\b)")
_NUMBER_BEFORE: Final = re.compile(r"(?:\d|\ue000)(?:st|nd|rd|th)?[ \u00a0]?\Z")
_ORDINAL_BEFORE: Final = re.compile(r"(?:st|nd|rd|th|revised|new|final|special|limited|\ue000)[ \u00a0]\Z")


def _special(match: re.Match[str]) -> str:
    key = match[0].lower().replace(" ", "") if match[0].lower() != "et al." else "et al"
    said = DOTTED.get(key.removesuffix("."))
    if said is None and key.startswith("ph"):
        said = "P H Ds" if key.endswith("s") else "P H D"
    said = said or match[0]
    if match[0][0].isupper() and said[0].islower():
        said = said[0].upper() + said[1:]
    return f"{said}{kept_stop(match)}" if match[0].endswith(".") else said


def _dotted(match: re.Match[str]) -> str | None:
    """A short word with a full stop after it: an abbreviation, if one is known and fits where it stands."""
    text, stop = match.string, match.end()
    written = match[1]
    key = written.lower().replace("’", "'")
    if len(key) == 1 and key not in "pv":
        return None
    following = word_after(text, stop)
    if key == "gen" and following in ("X", "Y", "Z"):
        return "generation"
    if _is_title(match, key, following):
        return _sister_or_senior(match, following) if key == "sr" else TITLES[key]
    if key in BEFORE_NUMBERS and _NUMBER_NEXT.match(text, stop):
        if _NUMBER_BEFORE.search(text[max(0, match.start() - 6) : match.start()]) and key != "ed":
            return None
        return BEFORE_NUMBERS[key] + ("" if text[stop : stop + 1].isspace() else " ")
    if key in MONTHS or key in WEEKDAYS:
        return say_abbreviated(match, key)
    if key == "v":
        named = word_before(text, match.start())[:1].isupper() and following[:1].isupper()
        return "versus" if named and written == "v" else None
    if key == "dr" and written == "Dr" and word_before(text, match.start()).islower():
        return f"doctor{kept_stop(match)}"
    if key == "no" and following == "of":
        return "number"
    if key == "ed":
        if following == "by":
            return "edited"
        if _ORDINAL_BEFORE.search(text[max(0, match.start() - 12) : match.start()]):
            return f"edition{kept_stop(match)}"
    return _anywhere(match, key, following)


def _is_title(match: re.Match[str], key: str, following: str) -> bool:
    """Whether a title stands before a name: 'Gen. Lee', but not 'the rep. He' and 'King Jr. Day'."""
    text = match.string
    if key not in TITLES or not match[1][0].isupper():
        return False
    if key in ("mr", "mrs", "ms") or _JOINED_TITLE.match(text, match.end()):
        return True
    if key in ("st", "ste") and text[match.end() : match.end() + 1] == "-":
        return text[match.end() + 1 : match.end() + 2].isupper()
    if key in _BEFORE_INITIALS and text.startswith(f" {TAKEN * 2} ", match.end()):
        return True
    if not following[:1].isupper():
        return False
    if text[match.end()] not in " \u00a0":
        return False
    if key not in ("dr", "prof") and len(following) > 1 and following.lower() in SENTENCE_STARTERS:
        return False
    before = word_before(text, match.start())
    return key not in ("sr", "ft", "pt", "sec") or not (before[:1].isupper() or before[:1].isdigit())


_NUNS: Final = word_set(
    "mary maria marie teresa therese agnes bernadette catherine clare cecilia benedicta josephine margaret"
)
_CONVENT: Final = re.compile(r"\b(?:nuns?|convents?|abbey|abbess|sisters|nunnery|habit|vows|O\.?S\.?[BF])\b")
_NEAR: Final = 96


def _sister_or_senior(match: re.Match[str], following: str) -> str:
    near = match.string[max(0, match.start() - _NEAR) : match.end() + _NEAR]
    is_nun = following.lower() in _NUNS or _CONVENT.search(near) is not None
    return "sister" if is_nun else "senior"


_BEFORE_INITIALS: Final = word_set("dr prof mr mrs ms rev sen gov capt")


def _anywhere(match: re.Match[str], key: str, following: str) -> str | None:
    text, stop = match.string, match.end()
    if key in _AFTER_NAMES and text.strip() == match[0]:
        return ANYWHERE[key]
    if key not in ANYWHERE or (key in CAPITALISED and not match[1][0].isupper()):
        return None
    ends = ends_sentence(text, match.start(), stop)
    if key in _AFTER_NAMES:
        if not _follows_name(text, match.start()):
            return None
    elif key in ALSO_WORDS:
        goes_on = text[stop : stop + 1] in (" ", "\u00a0", ",", ")")
        if ends or not goes_on or (following[:1].isupper() and following.lower() in SENTENCE_STARTERS):
            return None
    return f"{ANYWHERE[key]}{'.' if ends else ''}"


_AFTER_NAMES: Final = word_set("inc corp ltd co cos bros jr sr esq al")


def _follows_name(text: str, at: int) -> bool:
    before = text[max(0, at - 48) : at].rstrip(", \u00a0").rpartition(" ")[2]
    return (
        before[:1].isupper()
        or before.lower() in ("and", "et")
        or before.startswith(("&", TAKEN))
        or before.endswith((")", TAKEN))
    )


def _bare(match: re.Match[str]) -> str | None:
    """An abbreviation without its full stop."""
    text, written = match.string, match[1]
    key = written.lower().replace("’", "'")
    following = word_after(text, match.end()) if text[match.end() : match.end() + 1] in " \u00a0" else ""
    if key in BARE_TITLES and written[0].isupper() and not written.isupper() and following[:1].isupper():
        sure = key in ("mr", "mrs", "ms", "dr", "prof")
        if sure or (len(following) > 1 and following.lower() not in SENTENCE_STARTERS):
            return TITLES[key]
        return None
    if written == "St" and following[:1].isupper():
        return "Saint"
    if key not in BARE or written.isupper():
        return None
    if key in CAPITALISED and not (written[0].isupper() and _follows_name(text, match.start())):
        return None
    return ANYWHERE[key]


def _slashed(match: re.Match[str]) -> str:
    said = SLASHED[match[0].lower()]
    after = match.string[match.end() : match.end() + 1]
    return f"{said} " if match[0].endswith("/") and after.strip() else said


_STOP: Final = re.compile(r"[A-Za-z]\.")

_AGE: Final = re.compile(r"(?<=\d-)(yr|mo|wk)s?\.?(?=[- ]olds?\b)")
_AGES: Final = {"yr": "year", "mo": "month", "wk": "week"}

# Before the rules for numbers.
EARLY_RULES: Final[tuple[Rule, ...]] = (
    *calendar_names.EARLY_RULES,
    Rule(_AGE, lambda match: _AGES[match[1]], re.compile(r"old")),
)
RULES: Final[tuple[Rule, ...]] = (
    Rule(_SPECIAL, _special, re.compile(r"et al|[PDMBELepi]\w{0,4}\. ?\w|[aA]\.k|Ph\.?D")),
    *calendar_names.RULES,
    *initials.RULES,
    Rule(_DOTTED, _dotted, _STOP),
    Rule(_BARE, _bare),
    Rule(_SMALL_LETTERS, lambda match: spelled(match[1]) + (match[2] or "")),
    Rule(_SLASHED, _slashed, re.compile("[wbcnasmdyqre]/", re.I)),
)
