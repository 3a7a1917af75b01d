"""Pieces that the patterns of numbers are made of, and the words around a number."""

from __future__ import annotations

import re
from typing import Final


def word_set(listed: str) -> frozenset[str]:
    """The words of `listed`, which are set off by spaces."""
    return frozenset(listed.split())


# Where a number may start: not inside a word or inside another number.
START: Final = r"(?<!\w)(?<![0-9][.,])"
# Where it must have ended.
END: Final = r"(?!\w)(?![.,][0-9])"
SPACE: Final = r"[ \t\u00a0\u2009\u202f]"
DASH: Final = r"[-\u2010-\u2015\u2212]"
PLAIN: Final = r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\.[0-9]++)?|(?<!\w)\.[0-9]++)"

DIGIT: Final = re.compile("[0-9]")

_REACH: Final = 24
_NEXT_WORD: Final = re.compile(r"[ \u00a0-]?([A-Za-z]{1,24})")
_NOT_NOUNS: Final = word_set(
    "a about after against ago all also am an and annually apart are as at away back because been "
    "before below but by can could daily did does down during each either else even every except first "
    "for from had has have her here his how however if in instead into is it its just last later less "
    "like may might monthly more most must my next no nor not now of off on once one onto or our out "
    "over per plus she should since so than that the their them then there these they this those though "
    "through till to today together tomorrow too two under until up upon upwards us via was we weekly "
    "were what when where which while who why will with within without would yearly yesterday yet you "
    "your"
)
_NOT_PLURALS: Final = word_set(
    "this thus always across less perhaps besides news series sees says plus versus towards means "
    "remains marks saw gives shows brings begins ends starts gets makes goes comes lies seems sits "
    "stands looks takes does sales gains games"
)
_COUNTED: Final = word_set(
    "people men women children percent hundred thousand million billion trillion feet fish sheep dozen "
    "other more new different additional extra"
)


# What a number and a letter name together: 'seat 12A'.
LETTERED: Final = word_set(
    "exit ward bay stand pier page schedule seat row gate flat unit apartment apt room section building "
    "bus platform exhibit figure fig grade class size suite chapter appendix table door locker stall "
    "block lot route building level floor group team part step question line"
)


# What is known by a number that is read digit by digit.
NUMBERED: Final = word_set(
    "acct order invoice account tracking ticket reference ref case serial confirmation code pin passcode "
    "password id zip zipcode extension ext passport license licence booking routing otp postcode policy "
    "member employee s/n sn isbn ssn"
)


def previous_word(match: re.Match[str]) -> str:
    """The word before the match in lower case, without punctuation around it; empty where there is none."""
    return word_before(match.string, match.start())


def word_before(text: str, at: int) -> str:
    """The word that ends before text[at], in lower case."""
    before = text[max(0, at - _REACH) : at].rstrip(" \u00a0(\"'\u2018\u201c#:-\u2013")
    return before[before.rfind(" ") + 1 :].strip("(\"'\u201c\u2018[,*_").lower()


def next_word(match: re.Match[str]) -> str:
    """The word after the match in lower case, over one space or hyphen; empty where there is none."""
    found = _NEXT_WORD.match(match.string, match.end())
    return found[1].lower() if found else ""


# What is so often described by a measure that the measure is in the singular even without an article.
_DESCRIBED: Final = word_set(
    "bag battery bottle box jack run race walk hike drive dash radius fence ladder pole cable screen "
    "monitor disk lens rifle pistol caliber engine motor charger adapter adaptor outlet circuit pipe "
    "tank dumbbell limit delay timeout connection processor bed wall hard laptop phone tv television "
    "film lead nib drill nail bolt screw tube hose gap hole mark pan pizza knife blade stretch climb "
    "detour diameter container trailer board plank rule ruler tile wire string cord sprint swim "
    "marathon truck load lamp bulb tablet capsule pill dose bar pack packet jar cup mug rope can relay "
    "house home apartment paper sheet envelope photo print"
)


def is_attributive(match: re.Match[str]) -> bool:
    """Whether an amount stands before its noun, as in 'a 5 km run', where English has the singular."""
    word = next_word(match)
    if word in _DESCRIBED or word.removesuffix("s") in _DESCRIBED:
        return True
    if previous_word(match) not in ("a", "an", "another", "every", "one", "each", "this", "that"):
        return False
    return len(word) > 2 and word not in _NOT_NOUNS


def is_count(match: re.Match[str]) -> bool:
    """Whether the word after a number is what it counts: '1999 people', '1500 tickets'."""
    word = next_word(match)
    if word in _COUNTED:
        return True
    return len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word not in _NOT_PLURALS


_RATING: Final = re.compile(
    r"\b(?:rat(?:e|es|ed|ing)|scor(?:e|es|ed|ing)|g[ai]ves?|got|grade)\b", re.IGNORECASE
)


# What a part of is spoken of: 'a 3/5 majority' is no rating.
_PARTED: Final = word_set("majority chance share stake interest mile scale probability portion cut vote lead")


def is_rating(match: re.Match[str]) -> bool:
    """Whether what is matched is points out of so many: 'a 7/10', 'rated 4/5'."""
    return (previous_word(match) in ("a", "an") and next_word(match) not in _PARTED) or _RATING.search(
        match.string, max(0, match.start() - 30), match.start()
    ) is not None
