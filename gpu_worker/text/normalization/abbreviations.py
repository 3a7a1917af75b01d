"""Rules for titles and abbreviations; a full stop that also ends the sentence stays."""

from __future__ import annotations

import re
from typing import Final

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
from gpu_worker.text.normalization.context import (
    SENTENCE_STARTERS,
    ends_sentence,
    word_after,
    word_before,
)
from gpu_worker.text.normalization.numerals import word_set
from gpu_worker.text.normalization.spelling import spelled
from gpu_worker.text.normalization.words import year
from gpu_worker.text.rewriting import TAKEN, Rule

_SPECIAL: Final = re.compile(
    r"(?<![\w.])(?:et al|Ph\.?[ ]?D(?:\.?s)?|D\.Phil|M\.Phil|B\.Sc|M\.Sc|Ed\.D|Psy\.D"
    r"|Pharm\.D|LL\.[BMD]|Litt\.D"
    r"|p\.a|[eE]\.[ ]?g|[iI]\.[ ]?e|[aA]\.k\.a)"
    r"(?:\.(?!\w)|(?<=\.[A-Za-z])(?![\w.]))"
)
_LETTERS: Final = re.compile(
    r"(?<![\w.'’])(?:[A-Za-z]\.){2,8}(?:(s)(?!\w)|(?!\w))|(?<![\w.'’])(?:[A-Z]\.){1,6}[A-Z](?![\w.])"
)
_DOTTED: Final = re.compile(r"(?<![\w.'’@#/-])([A-Za-z]{1,7}(?:['’][a-z])?)\.(?![\w@]|\.)")
_BARE: Final = re.compile(r"(?<![\w.'’@#/-])([A-Za-z]{2,6}(?:['’][a-z])?)(?![\w'’.@/-])")
_SLASHED: Final = re.compile(
    r"(?<![\w/.])(?:w/(?:o(?:ut)?(?!\w)|in(?!\w)|(?![A-Za-z](?!\w)))|(?:km/h|y/[oy]|either/or|he/she|she/he|his/her|him/her|q/q|a/c|b/[cw]|c/o|n/a|and/or|s/he)(?!\w))(?!/)",
    re.I,
)
_DAYS: Final = "Mon|Tues?|Weds?|Thu|Thurs?|Fri|Sat|Sun"
_DAY_RANGE: Final = re.compile(rf"(?<![\w.])({_DAYS})\.?[ ]?([-–—])[ ]?({_DAYS})(\.?)(?![\w])")
_ANY_DAY: Final = re.compile(rf"\b(?:{_DAYS}|Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)(?:day)?(?!\w)")
_BARE_DAY: Final = re.compile(
    r"(?<![\w.'’])(Tues?|Thu|Thurs?|Feb|Sept|Wed|Oct|Nov|Dec|Apr|Aug|Fri|Sun|Sat|Mon)(?=[,:]? (?:\d|\ue000))"
)
_INITIAL: Final = re.compile(r"(?<=[a-z.] )([A-HJ-Z])\.(?= [A-Z][a-z'’])")
_INITIAL_FIRST: Final = re.compile(r"^([A-HJ-Z])\.(?= (?:[A-Z]\. )?[A-Z][a-z])", re.M)
_INITIALS: Final = re.compile(r"(?<![\w.'’])(?:[A-HJ-Z]\. ){2,5}(?=[A-Z][a-z])")
_JOINED_TITLE: Final = re.compile(r" (?:and|or|&) [A-Z][a-z]{0,8}\. [A-Z]")
# Acronyms that no one says as words, in small letters.
_SMALL_LETTERS: Final = re.compile(
    r"(?<![\w.'’@#/-])(b?cc|cds?|ceo|cpu|cto|cfo|dj|dna|dvd|fbi|fyi|gps|gpu|hiv|html|https?|mph|nba|nfl|pc|pdf|php|rpm|sms|sql"
    r"|ssd|tv|ufo|url|usa|usb|vpn|xml)(s)?(?![\w.@/-])"
)
_NUMBER_NEXT: Final = re.compile(rf"[ \u00a0]?(?:[0-9#§{TAKEN}]|[IVXL]{{2,8}}\b|[VX]\b)")
_NUMBER_BEFORE: Final = re.compile(r"(?:\d|\ue000)(?:st|nd|rd|th)?[ \u00a0]?\Z")
_ORDINAL_BEFORE: Final = re.compile(r"(?:st|nd|rd|th|revised|new|final|special|limited|\ue000)[ \u00a0]\Z")
_DATE_BEFORE: Final = word_set(
    """
    in on since until till by from to through late early mid next last every this of and before after
    """
)


def _kept_stop(match: re.Match[str]) -> str:
    return "." if ends_sentence(match.string, match.start(), match.end()) else ""


def _special(match: re.Match[str]) -> str:
    key = match[0].lower().replace(" ", "") if match[0].lower() != "et al." else "et al"
    said = DOTTED.get(key.removesuffix("."))
    if said is None and key.startswith("ph"):
        said = "P H Ds" if key.endswith("s") else "P H D"
    said = said or match[0]
    if match[0][0].isupper() and said[0].islower():
        said = said[0].upper() + said[1:]
    return f"{said}{_kept_stop(match)}" if match[0].endswith(".") else said


def _letters(match: re.Match[str]) -> str | None:
    """Letters with full stops: 'U.S.A.' is 'U S A'."""
    written = match[0]
    letters = written.removesuffix("s").replace(".", "")
    if len(letters) == 2 and written.count(".") == 1 and written[0].islower():
        return None
    plural = "s" if match[1] else ""
    stop = _kept_stop(match) if written.endswith(".") else ""
    return f"{' '.join(letters)}{plural}{stop}"


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
        return TITLES[key]
    if key in BEFORE_NUMBERS and _NUMBER_NEXT.match(text, stop):
        if _NUMBER_BEFORE.search(text[max(0, match.start() - 6) : match.start()]) and key != "ed":
            return None
        return BEFORE_NUMBERS[key] + ("" if text[stop : stop + 1].isspace() else " ")
    if key in MONTHS or key in WEEKDAYS:
        return _calendar(match, key)
    if key == "v":
        named = word_before(text, match.start())[:1].isupper() and following[:1].isupper()
        return "versus" if named and written == "v" else None
    if key == "dr" and written == "Dr" and word_before(text, match.start()).islower():
        return f"doctor{_kept_stop(match)}"
    if key == "no" and following == "of":
        return "number"
    if key == "ed":
        if following == "by":
            return "edited"
        if _ORDINAL_BEFORE.search(text[max(0, match.start() - 12) : match.start()]):
            return f"edition{_kept_stop(match)}"
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


_BEFORE_INITIALS: Final = word_set("dr prof mr mrs ms rev sen gov capt")


def _anywhere(match: re.Match[str], key: str, following: str) -> str | None:
    text, stop = match.string, match.end()
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


def _calendar(match: re.Match[str], key: str) -> str | None:
    """A month or weekday, where its capital and its neighbours say that it is one."""
    text, stop = match.string, match.end()
    if not match[1][0].isupper():
        return None
    ends = ends_sentence(text, match.start(), stop)
    before = word_before(text, match.start()).lower()
    if (
        ends
        and before not in _DATE_BEFORE
        and not (before in ("except", "but", "not", "open", "closed") or _dated(match))
    ):
        return None
    said = MONTHS.get(key) or WEEKDAYS[key]
    return f"{said}{'.' if ends else ''}"


def _dated(match: re.Match[str]) -> bool:
    """Whether another day is named before this one, so that this can be no other word."""
    return _ANY_DAY.search(match.string, max(0, match.start() - 48), match.start()) is not None


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


def _day_range(match: re.Match[str]) -> str:
    first, last = WEEKDAYS[match[1].lower()], WEEKDAYS[match[3].lower()]
    stop = _kept_stop(match) if match[4] else ""
    return f"{first} to {last}{stop}"


def _bare_day(match: re.Match[str]) -> str | None:
    key = match[1].lower()
    if key in ("sun", "sat", "wed", "fri") and word_before(match.string, match.start()).lower() in (
        "the",
        "he",
        "she",
        "they",
    ):
        return None
    if key in ("sun", "sat", "wed") and not match.string.startswith(
        TAKEN, match.end() + 1 + (match.string[match.end()] in ",:")
    ):
        return None
    return WEEKDAYS.get(key) or MONTHS[key]


def _initials(match: re.Match[str]) -> str:
    return match[0].replace(".", "")


_LETTERED: Final = word_set(
    "vitamin plan class grade type section option group hepatitis part appendix exhibit"
)


def _initial(match: re.Match[str]) -> str | None:
    """'George W. Bush', but not 'Plan B. Then'."""
    text = match.string
    before, following = word_before(text, match.start()), word_after(text, match.end())
    if following.lower() in SENTENCE_STARTERS or (before and not before[0].isupper()):
        return None
    if before.lower() in _LETTERED:
        return None
    return match[1]


_CIRCA: Final = re.compile(
    r"(?<![\w.])([Cc]a?\.|[Cc]irca|[Ee]st\.|[bd]\.)[ \u00a0]?(1[0-9]{3}|20[0-9]{2})(?![\w%]|[.,]\d)"
)


_CIRCA_ERA: Final = re.compile(r"(?<![\w.])[Cc]a?\. ?(?=[0-9]{1,4} ?(?:BC|AD|CE|B\.C|A\.D))")


def _circa(match: re.Match[str]) -> str:
    word = {"est.": "established", "b.": "born", "d.": "died"}.get(match[1].lower(), "circa")
    return f"{word} {year(int(match[2]))}"


_STOP: Final = re.compile(r"[A-Za-z]\.")

_WORKDAYS: Final = re.compile(r"(?<!\w)M[-–]F(?=[,:]? ?(?:from )?\d)")
_AGE: Final = re.compile(r"(?<=\d-)(yr|mo|wk)s?\.?(?=[- ]olds?\b)")
_AGES: Final = {"yr": "year", "mo": "month", "wk": "week"}

# Before the rules for numbers.
EARLY_RULES: Final[tuple[Rule, ...]] = (
    Rule(_WORKDAYS, lambda match: "Monday to Friday", re.compile("M[-–]F")),
    Rule(_AGE, lambda match: _AGES[match[1]], re.compile(r"old")),
    Rule(_CIRCA_ERA, lambda match: "circa ", re.compile(r"(?<!\w)[Cc]a?\. ?[0-9]")),
    Rule(_CIRCA, _circa, re.compile(r"(?<!\w)(?:[bcd]|ca|circa|est)\b", re.I)),
)
RULES: Final[tuple[Rule, ...]] = (
    Rule(_SPECIAL, _special, re.compile(r"et al|[PDMBELepi]\w{0,4}\. ?\w|[aA]\.k|Ph\.?D")),
    Rule(_DAY_RANGE, _day_range, re.compile(rf"(?:{_DAYS})\.?[ ]?[-–—]")),
    Rule(_BARE_DAY, _bare_day),
    Rule(_LETTERS, _letters, re.compile(r"[A-Za-z]\.[A-Za-z]")),
    Rule(_INITIALS, _initials, re.compile(r"[A-Z]\. [A-Z]\. ")),
    Rule(_INITIAL_FIRST, _initial, re.compile(r"^[A-Z]\.", re.M)),
    Rule(_INITIAL, _initial, re.compile(r" [A-Z]\.")),
    Rule(_DOTTED, _dotted, _STOP),
    Rule(_BARE, _bare),
    Rule(_SMALL_LETTERS, lambda match: spelled(match[1]) + (match[2] or "")),
    Rule(_SLASHED, _slashed, re.compile("[wbcnasmdyqre]/", re.I)),
)
