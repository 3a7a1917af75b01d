"""Times of day, with am and pm, in 24 hours and with zones; spans of time on a clock; durations; ratios."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import words
from gpu_worker.text.normalization.numerals import (
    DASH,
    END,
    PLAIN,
    SPACE,
    START,
    next_word,
    previous_word,
    word_set,
)
from gpu_worker.text.rewriting import TAKEN, Rule

_HOUR: Final = "(?:[01]?[0-9]|2[0-4])"
# The stop of 'p.m.' is left standing where the sentence ends with it.
_HALF_DAY: Final = (
    rf"{SPACE}?(?P<{{0}}>[AaPp])(?:\.{SPACE}?[Mm]\b(?:\.(?!\s*$|\s+(?!(?:[MTWFS][a-z]{{{{2,5}}}}day"
    rf"|[ECMP][SD]?T)\b)[A-Z\"\u201c]))?|[Mm]\b)"
)
_ZONE: Final = (
    r"(?:(?P<zulu>Z)(?!\w)|\s?(?P<bracket>\()?(?P<zone>UTC|GMT|EST|EDT|CST|CDT|MST|MDT|PST|PDT|ET|PT|CT|MT|BST|CET"
    r"|CEST|EET|IST|JST|KST|SGT"
    r"|AEST|AEDT|AKST|HST|MSK|WET|[ecmp][sd]t|utc|gmt|cet|bst)\b(?:(?P<offset_sign>[-+\u2212])(?P<offset>[0-9]{1,2})(?::?"
    r"(?P<offset_minutes>[0-9]{2}))?(?![0-9]))?(?(bracket)\)))?"
)
_CLOCK_TIME: Final = (
    rf"(?P<hour>{_HOUR}):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:\.(?P<part>[0-9]{{1,9}}))?)?"
)
_CLOCK: Final = re.compile(
    rf"{START}(?<!:){_CLOCK_TIME}(?![0-9:])(?![.,][0-9])(?:{_HALF_DAY.format('half')})?"
    rf"(?P<hours>{SPACE}?h(?:rs)?\b)?{_ZONE}"
)
_SPAN: Final = re.compile(
    rf"{START}(?<!:)(?P<hour>{_HOUR})(?::(?P<minute>[0-5][0-9]))?(?:{_HALF_DAY.format('half')})?"
    rf"{SPACE}?(?:{DASH}|to){SPACE}?"
    rf"(?P<hour2>{_HOUR})(?::(?P<minute2>[0-5][0-9]))?(?![0-9:])(?:{_HALF_DAY.format('half2')})?{_ZONE}(?!\w)"
)
_HOUR_ONLY: Final = re.compile(
    rf"{START}(?<!:)(?P<hour>0?[1-9]|1[0-2])(?:\.(?P<minute>[0-5][0-9]))?{_HALF_DAY.format('half')}"
    rf"(?!\w){_ZONE}"
)
_ZONE_ONLY: Final = re.compile(
    r"\b(?P<zone>UTC|GMT) ?(?P<offset_sign>[-+\u2212])(?P<offset>[0-9]{1,2})(?::?"
    r"(?P<offset_minutes>[0-9]{2}))?(?![0-9])"
)
_MILITARY: Final = re.compile(
    rf"{START}([01][0-9]|2[0-3])([0-5][0-9])(?:(?=(?P<hours>{SPACE}?(?:hours|hrs|h)\b))|(?<=0[0-9]{{3}}){END}(?!-))"
)
_VERSE: Final = re.compile(
    r"(?:(?<![\w.:/-])(?P<volume>[1-3]) )?\b(?P<book>[A-Z][a-z]{1,13})\.? (?P<chapter>[0-9]{1,3})"
    rf":(?P<verse>[0-9]{{1,3}})(?:{DASH}(?P<last>[0-9]{{1,3}}))?(?![\w:])"
)
_RATIO: Final = re.compile(rf"{START}(?<!:)({PLAIN})(?:{SPACE}:{SPACE}|:)({PLAIN})(?::({PLAIN}))?(?![\w:])")

_AT: Final = word_set("at by from until till since before after around to between about")
_RATIO_WORDS: Final = word_set("odds ratio scale aspect proportion majority margin odds-on")
_VERSE_BOOKS: Final = word_set(
    "genesis exodus leviticus numbers deuteronomy joshua judges samuel kings chronicles job psalm "
    "psalms proverbs isaiah jeremiah ezekiel daniel hosea matthew mark luke john acts romans "
    "corinthians galatians ephesians philippians colossians timothy titus hebrews james peter "
    "revelation surah quran"
)


_BOOKS: Final = {
    "gen": "Genesis", "ex": "Exodus", "exod": "Exodus", "lev": "Leviticus", "num": "Numbers",
    "deut": "Deuteronomy", "josh": "Joshua", "sam": "Samuel", "chron": "Chronicles", "ps": "Psalm",
    "prov": "Proverbs", "eccl": "Ecclesiastes", "isa": "Isaiah", "jer": "Jeremiah", "ezek": "Ezekiel",
    "dan": "Daniel", "matt": "Matthew", "mt": "Matthew", "mk": "Mark", "lk": "Luke", "jn": "John",
    "rom": "Romans", "cor": "Corinthians", "gal": "Galatians", "eph": "Ephesians", "phil": "Philippians",
    "col": "Colossians", "thess": "Thessalonians", "tim": "Timothy", "heb": "Hebrews", "jas": "James",
    "pet": "Peter", "rev": "Revelation",
}  # fmt: skip


def say_time(hour: int, minute: int | None, *, half: str = "", o_clock: bool = True) -> str:
    """'ten thirty-five p m', 'five oh three', 'three o'clock', 'thirteen hundred'.

    `half` is 'a', 'p' or ''.
    """
    if minute:
        spoken = f"{words.cardinal(hour)} {words.two_digits(minute)}"
    elif half or minute is None:
        spoken = words.cardinal(hour)
    elif hour in (0, 24):
        spoken = "midnight"
    elif hour > 12:
        spoken = f"{words.cardinal(hour)} hundred"
    else:
        spoken = f"{words.cardinal(hour)} o'clock" if o_clock else words.cardinal(hour)
    return f"{spoken} {half.lower()} m" if half else spoken


def _zone(match: re.Match[str]) -> str:
    groups = match.groupdict()
    if groups.get("zulu"):
        return " U T C"
    if not groups["zone"]:
        return ""
    spoken = " " + " ".join(groups["zone"].upper())
    if groups["offset"]:
        spoken += " plus " if groups["offset_sign"] == "+" else " minus "
        spoken += words.cardinal(int(groups["offset"]))
        if minutes := int(groups["offset_minutes"] or 0):
            spoken += f" {words.cardinal(minutes)}"
    return spoken


def _say_clock(match: re.Match[str]) -> str | None:
    hour, minute, half = int(match["hour"]), int(match["minute"]), match["half"] or ""
    before = previous_word(match)
    if not half and (before in _RATIO_WORDS or next_word(match) in _RATIO_WORDS):
        return None
    if match["second"] is None:
        if match["hours"] and minute == 0:
            return f"{words.cardinal(hour)} hundred hours{_zone(match)}"
        return say_time(hour, minute, half=half) + (" hours" if match["hours"] else "") + _zone(match)
    second = int(match["second"])
    dated = match.start() and TAKEN in match.string[max(0, match.start() - 2) : match.start()]
    if not (half or match["zone"] or match["zulu"] or before in _AT or dated):
        return _duration(hour, minute, second, match["part"])
    spoken = say_time(hour, minute)
    if second:
        spoken = f"{spoken} and {counted(second, 'second')}"
    return f"{spoken}{f' {half.lower()} m' if half else ''}{_zone(match)}"


def counted(n: int, unit: str) -> str:
    """'one hour', 'two hours'."""
    return f"{words.cardinal(n)} {unit if n == 1 else words.plural(unit)}"


def _duration(hours: int, minutes: int, seconds: int, part: str | None = None) -> str:
    parts = [counted(n, unit) for n, unit in ((hours, "hour"), (minutes, "minute"), (seconds, "second")) if n]
    if part:
        if seconds:
            parts.pop()
        parts.append(f"{words.cardinal(seconds)} point {words.digits(part)} seconds")
    return " ".join(parts) or "zero seconds"


def _say_span(match: re.Match[str]) -> str | None:
    if not (match["half"] or match["half2"] or (match["minute"] and match["minute2"])):
        return None
    first = say_time(int(match["hour"]), _minute(match["minute"]), half=match["half"] or "", o_clock=False)
    second = say_time(
        int(match["hour2"]), _minute(match["minute2"]), half=match["half2"] or "", o_clock=False
    )
    return f"{first} to {second}{_zone(match)}"


def _minute(written: str | None) -> int | None:
    return int(written) if written else None


def _say_hour(match: re.Match[str]) -> str:
    return say_time(int(match["hour"]), _minute(match["minute"]), half=match["half"]) + _zone(match)


def _say_military(match: re.Match[str]) -> str | None:
    hour, minute = int(match[1]), int(match[2])
    if (match[1][0] != "0" or match["hours"] is None) and previous_word(match) not in _AT:
        return None
    spoken = f"oh {words.cardinal(hour)}" if hour < 10 else words.cardinal(hour)
    return f"{spoken} hundred" if minute == 0 else f"{spoken} {words.two_digits(minute)}"


_MINUTES_SECONDS: Final = re.compile("(?:2[5-9]|[3-9][0-9]):[0-5][0-9]")


def _say_verse(match: re.Match[str]) -> str | None:
    key = match["book"].lower()
    book = _BOOKS.get(key) or (match["book"] if key in _VERSE_BOOKS else None)
    if book is None:
        return None
    volume = f"{words.ordinal(int(match['volume']))} " if match["volume"] else ""
    last = f" to {words.whole(match['last'])}" if match["last"] else ""
    return f"{volume}{book} {words.whole(match['chapter'])} {words.whole(match['verse'])}{last}"


def _say_ratio(match: re.Match[str]) -> str:
    minutes, seconds = match[1], match[2]
    if match[3] is None and _MINUTES_SECONDS.fullmatch(f"{minutes}:{seconds}"):
        return f"{words.whole(minutes)} {words.two_digits(int(seconds)) if seconds != '00' else 'minutes'}"
    return " to ".join(words.number(number) for number in match.groups() if number)


_LONG: Final = re.compile(
    rf"{START}(?:(?P<days>[0-9]{{1,3}}){SPACE}?d(?:ays?)?,?{SPACE}?)?(?P<hours>[0-9]{{1,3}}){SPACE}?h"
    rf"(?:rs?)?(?:(?P<apart>\.,?|,){SPACE}?|{SPACE}?)"
    rf"(?P<minutes>[0-9]{{1,2}})(?![0-9])(?:{SPACE}?(?:mins?\.(?=,|[ ][a-z0-9(])|m|mins?)(?!\w|{SPACE}?/)|'|"
    rf"(?={SPACE}[0-9]{{1,2}}{SPACE}?s(?!\w))|(?(apart)(?!)|(?!\w)))"
    rf"(?:,?{SPACE}?(?P<seconds>[0-9]{{1,2}}){SPACE}?s(?:ecs?)?(?!\w))?"
)
_COMPACT: Final = re.compile(
    rf"{START}(?P<hours>[0-9]{{1,3}})h(?P<minutes>[0-9]{{1,2}})m(?:in)?(?P<seconds>[0-9]{{1,2}})s(?:ec)?"
    rf"(?!\w)"
)
_SHORT: Final = re.compile(
    rf"{START}(?P<minutes>[0-9]{{1,3}}){SPACE}?(?:m|mins?)\.?,?{SPACE}?(?P<seconds>[0-9]{{1,2}}){SPACE}?s"
    rf"(?:ecs?)?(?!\w)"
)


def _say_parts(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return " ".join(
        counted(int(groups[f"{unit}s"]), unit)
        for unit in ("day", "hour", "minute", "second")
        if groups.get(f"{unit}s")
    )


_COLON: Final = re.compile("[0-9][ \u00a0]?:")
_HALF: Final = re.compile(r"[0-9][ \u00a0\u202f]?[AaPp]\.?[ ]?[Mm]")

RULES: Final[tuple[Rule, ...]] = (
    Rule(_VERSE, _say_verse, re.compile(r"[a-z]\.? [0-9]{1,3}:[0-9]")),
    Rule(_SPAN, _say_span, re.compile(r"[0-9][ \u00a0\u202f]?[AaPp]\.?[ ]?[Mm]|:[0-9]")),
    Rule(_CLOCK, _say_clock, _COLON),
    Rule(_HOUR_ONLY, _say_hour, _HALF),
    Rule(
        _ZONE_ONLY,
        lambda match: _zone(match).lstrip(),
        re.compile(r"(?:UTC|GMT) ?[-+\u2212]"),
    ),
    Rule(_MILITARY, _say_military, re.compile("[0-9]{4}[ \u00a0]?h|0[0-9]{3}")),
    Rule(_COMPACT, _say_parts, re.compile("[0-9]h[0-9]")),
    Rule(_LONG, _say_parts, re.compile("[0-9][ \u00a0]?h")),
    Rule(_SHORT, _say_parts, re.compile("[0-9][ \u00a0]?m")),
    Rule(_RATIO, _say_ratio, _COLON),
)
__all__ = ["RULES", "counted", "say_time"]
