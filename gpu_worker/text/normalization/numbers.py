"""What is left of numbers: ordinals, fractions, years, cardinals and decimals, in any script's digits."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gpu_worker.text.normalization import arithmetic, ranges, serials, words
from gpu_worker.text.normalization.numerals import (
    DIGIT,
    SPACE,
    START,
    is_count,
    is_rating,
    next_word,
    previous_word,
    word_set,
)
from gpu_worker.text.normalization.quantities import VULGAR, VULGAR_CLASS, fraction, mixed
from gpu_worker.text.rewriting import TAKEN, Rule

_ORDINAL: Final = re.compile(
    rf"{START}(?<![0-9]/)(?P<number>[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,5}}|[0-9]{{1,15}})[- ]?"
    rf"(?:(?:st|nd|rd|th|ST|ND|RD|TH)(?!\w)|ˢᵗ|ⁿᵈ|ʳᵈ|ᵗʰ)"
)
_FRACTION: Final = re.compile(
    rf"{START}(?<!/)(?<![A-Za-z]-)(?P<sign>(?:(?<!{TAKEN})[-\u2212])?)(?:(?P<whole>[0-9]{{1,3}})(?:{SPACE}|-))?"
    rf"(?P<numerator>[0-9]{{1,6}})[/\u2044](?P<denominator>[0-9]{{1,6}})(?:ths|rds|th|rd|TH|RD)?"
    r"(?![\w/]|[.,][0-9])"
)
_DECIMAL_RATING: Final = re.compile(
    rf"{START}([0-9]{{1,3}}\.[0-9]{{1,2}})/([1-9][0-9]{{0,2}})(?![\w/]|[.,][0-9])"
)
_VULGAR: Final = re.compile(
    rf"(?<![0-9])(?P<sign>[-\u2212]?)(?:(?P<whole>[0-9]{{1,6}}){SPACE}?)?(?P<part>{VULGAR_CLASS})"
)
_GROUPED: Final = re.compile(
    r"(?<!\w)(?<![0-9][.,])(?P<sign>[-\u2212+±]?)[1-9][0-9]{0,2}(?:"
    r"(?:[\u00a0\u2009\u202f][0-9]{3}){1,12}|(?: [0-9]{3}){2,12}| 000|(?:['\u2019][0-9]{3}){1,12})"
    r"(?:\.[0-9]{1,12})?(?![\w])(?![ ][0-9])"
)
_INDIAN: Final = re.compile(r"(?<!\w)(?<![0-9][.,])[0-9]{1,2}(?:,[0-9]{2}){1,4},[0-9]{3}(?![\w,])")
_NUMBER: Final = re.compile(
    rf"(?:(?P<sign>(?<![\w)\].{TAKEN}])[-\u2212+±\u2013](?=\.?[0-9]))|(?P<joint>(?<={TAKEN})[-\u2013]"
    rf"(?=[0-9]))|(?P<list>(?<=,)))?"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3}){1,40}(?![0-9])(?:\.[0-9]++)?|[0-9]++(?:\.[0-9]++)?|"
    r"(?<![\w.])\.[0-9]++)"
)
_DOTTED: Final = re.compile(rf"{START}[0-9]{{1,4}}(?:\.[0-9]{{1,4}}){{2,5}}(?![\w]|[.,][0-9])")
_THOUSANDS: Final = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,5}")
_CONTINENTAL: Final = re.compile(
    rf"{START}[1-9][0-9]{{0,2}}(?:\.[0-9]{{3}}){{1,5}},[0-9]{{1,2}}(?![\w/]|[.,][0-9])"
)
_COMMA_DECIMAL: Final = re.compile(
    rf"{START}(?P<whole>[0-9]{{1,4}}),(?P<part>[0-9]{{1,2}})(?![\w/:-]|[.,][0-9]|,|{SPACE}(?:and|or|to|&)\b)"
)
_OTHER_DIGITS: Final = re.compile(r"[^\D0-9]++")

_STEPS: Final = word_set(
    "step part page slide episode day week round lap tweet level stage phase photo question batch"
)
_ALWAYS: Final = re.compile(rf"{START}24/7/365(?![\w/])")
_TRIED: Final = word_set("went shot converted passed answered")
_PAIRED: Final = {"24/7", "50/50", "20/20", "60/40", "80/20", "70/30", "90/10", "9/11", "7/11"}

_YEAR_BEFORE: Final = word_set(
    "in since during circa ca until till spring summer autumn fall winter year years early late mid "
    "copyright © january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec ad born died est established founded the q1 q2 q3 "
    "q4"
)
_MAYBE_YEAR_BEFORE: Final = word_set("from by before after of and to between around through about")
_AMOUNT_BEFORE: Final = word_set(
    "about over nearly almost than least most exactly approximately roughly only some total another up to of "
    "number sum every"
)
_BY_NUMBER: Final = re.compile(r" (?:by [0-9]|per )")
_YEAR_NEAR: Final = re.compile(r"\b(?:year|born|died|founded|anno|circa|class of)\b", re.IGNORECASE)
_SUMS: Final = re.compile(r"\b(?:total|sum|number|population|maximum|minimum|average|capacity|range)\b")
_NAMED: Final = re.compile(
    r"\b(?:room|rm|suite|flight|highway|hwy|route|interstate|apartment|apt|error|http|status|boeing"
    r"|airbus|exit|area"
    r"|channel|section|rule|i|us|form|port|locker|extension|bus|train|studio|code|unit|xbox|porsche|peugeot|fahrenheit|nokia"
    r"|geforce)[. #-]{1,2}(?:[A-Z]{1,3}[ -]?)?\Z",
    re.IGNORECASE,
)
_FLIGHT: Final = re.compile(r"\b(?:Flight (?:[A-Z]{2,3} ?)?|flight [A-Z]{2,3} ?)\Z")
_ENDING: Final = re.compile(
    r"(?:\b(?:card|account|number|phone|visa|mastercard|amex)\b[^.]{0,20}\bend(?:s|ed|ing)? (?:in|with)"
    r"|\blast (?:four|4)(?: digits)?(?: are| is|:)?) ?\Z",
    re.IGNORECASE,
)
_AIRLINER: Final = re.compile("7[0-9]7")
_SHORT_CODE: Final = re.compile(r"\b(?:[Tt]ext|TEXT|[Ss]end|[Tt]exting)\b[^.]{1,24}\bto \Z")
_FORMS: Final = re.compile(r"\b(?:forms?|tax|IRS)\b[^.]{0,20}\Z", re.IGNORECASE)
_CAPITALS: Final = re.compile(r"(?:\A|[^A-Za-z])[A-Z]{2,5}[ -]?\Z")


def _say_ordinal(match: re.Match[str]) -> str:
    return words.ordinal(int(match["number"].replace(",", "")))


def _say_fraction(match: re.Match[str]) -> str | None:
    numerator, denominator = match["numerator"], match["denominator"]
    if len(denominator) > 4 and int(numerator) >= int(denominator):
        return None
    if not match["whole"]:
        if denominator in ("4", "8") and next_word(match) == "time":
            return f"{words.whole(numerator)} {words.whole(denominator)}"
        if previous_word(match) in _STEPS:
            return f"{words.whole(numerator)} of {words.whole(denominator)}"
        if previous_word(match) in _TRIED:
            return f"{words.whole(numerator)} out of {words.whole(denominator)}"
        if f"{numerator}/{denominator}" in _PAIRED:
            return f"{words.whole(numerator)} {words.whole(denominator)}"
        if denominator in ("5", "10", "100") and (numerator == denominator or is_rating(match)):
            return f"{words.whole(numerator)} out of {words.whole(denominator)}"
        if int(numerator) > int(denominator) and _EQUALS.match(match.string, match.end()):
            return f"{words.whole(numerator)} divided by {words.whole(denominator)}"
    sign = "minus " if match["sign"] else ""
    spoken = mixed(match["whole"] or "", int(numerator), int(denominator))
    if spoken.endswith("quarters") and next_word(match) == "inch":
        spoken = spoken.removesuffix("s")
    return sign + spoken


_EQUALS: Final = re.compile(r"\s?=")


def _say_rating(match: re.Match[str]) -> str:
    return f"{words.number(match[1])} out of {words.whole(match[2])}"


def _say_vulgar(match: re.Match[str]) -> str:
    sign = "minus " if match["sign"] else ""
    space = " " if match.start() and match.string[match.start() - 1].isalpha() else ""
    if match["whole"]:
        return space + sign + mixed(match["whole"], *VULGAR[match["part"]])
    return space + sign + fraction(*VULGAR[match["part"]])


def _say_number(match: re.Match[str]) -> str:
    number, sign = match["number"], match["sign"] or ""
    if match["joint"]:
        return f" to {words.number(number)}"
    if match["list"] is not None:
        return f" {words.number(number)}"
    if not sign and number.isdigit():
        if len(number) == 4 and _ENDING.search(match.string, max(0, match.start() - 48), match.start()):
            return words.digits(number)
        if len(number) == 4 and (_is_year(match) or (number == match.string.strip() and number[0] == "1")):
            return words.year(int(number))
        if len(number) in (5, 6) and _SHORT_CODE.search(
            match.string, max(0, match.start() - 40), match.start()
        ):
            return words.digits(number)
        if len(number) in (3, 4) and _is_name(match):
            return words.code(number)
        if len(number) >= 10 and not number.endswith("000"):
            return words.digits(number)
    if sign == "±":
        return f"plus or minus {words.number(number)}"
    return words.number(sign + number)


def _is_year(match: re.Match[str]) -> bool:
    year, before = int(match["number"]), previous_word(match)
    after = match.string[match.end() : match.end() + 2]
    is_plain_count = is_count(match) and after[1:].islower()
    recent = 1900 <= year <= 2099
    if before in _YEAR_BEFORE:
        return 1000 <= year <= 2199 and (recent or not is_plain_count)
    if is_plain_count:
        return False
    if _YEAR_NEAR.search(match.string, max(0, match.start() - 20), match.start()):
        return 1000 <= year <= 2199
    if before in _MAYBE_YEAR_BEFORE and 1400 <= year <= 2099:
        return _SUMS.search(match.string, max(0, match.start() - 20), match.start()) is None
    return recent and before not in _AMOUNT_BEFORE and _BY_NUMBER.match(match.string, match.end()) is None


def _is_name(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 12) : match.start()]
    if next_word(match) in ("error", "errors") and "0" in match["number"][1:-1]:
        return True
    start = max(0, match.start() - 18)
    if _FLIGHT.search(match.string, start, match.start()):
        return True
    if _NAMED.search(match.string, start, match.start()) and not is_count(match):
        return True
    if match["number"] in ("1040", "1065", "1099", "1120") and not is_count(match):
        return _FORMS.search(match.string, max(0, match.start() - 32), match.start()) is not None
    if previous_word(match) == "the" and match["number"][1] == "0" and len(match["number"]) == 3:
        return match["number"][2] != "0" and not next_word(match)
    if match["number"] == "404":
        return not is_count(match)
    if _AIRLINER.fullmatch(match["number"]) and previous_word(match) in ("a", "an", "the", "this"):
        return not is_count(match)
    if match["number"][0] == "0" or not _CAPITALS.search(before):
        return False
    return len(match["number"]) == 4 or (match["number"][1] == "0" and match["number"][2] != "0")


def _say_grouped(match: re.Match[str]) -> str:
    return words.number(match[0])


def _say_continental(match: re.Match[str]) -> str:
    return words.number(match[0].replace(".", "").replace(",", "."))


def _say_comma_decimal(match: re.Match[str]) -> str | None:
    """'12,5' as on the continent, but not the last two of a list such as 'rows 3,4'."""
    before = previous_word(match)
    if (before.endswith("s") and before not in _SINGULAR) or before in _AFTER_LISTS:
        return None
    return words.number(f"{match['whole']}.{match['part']}")


_SINGULAR: Final = word_set("is was has costs weighs measures equals plus times as ours this")
_AFTER_LISTS: Final = word_set("and or matthew mark luke john genesis psalm romans chapter pick vitamin")


def _say_dotted(match: re.Match[str]) -> str:
    if _THOUSANDS.fullmatch(match[0]):
        return words.number(match[0].replace(".", ""))
    return " point ".join(words.whole(part) for part in match[0].split("."))


def _say_other_digits(match: re.Match[str]) -> str:
    return words.whole("".join(str(unicodedata.digit(character, 0)) for character in match[0]))


RULES: Final[tuple[Rule, ...]] = (
    Rule(_CONTINENTAL, _say_continental, re.compile(r"\.[0-9]{3},[0-9]")),
    *serials.NAMED,
    Rule(_ORDINAL, _say_ordinal, re.compile("[0-9][- ]?[snrtSNRTˢⁿʳᵗ]")),
    Rule(_ALWAYS, lambda match: "twenty-four seven, three sixty-five", re.compile("/365")),
    Rule(_DECIMAL_RATING, _say_rating, re.compile(r"\.[0-9]{1,2}/[1-9]")),
    Rule(_FRACTION, _say_fraction, re.compile("[0-9][/\u2044][0-9]")),
    Rule(_VULGAR, _say_vulgar, re.compile(VULGAR_CLASS)),
    ranges.BETWEEN,
    *arithmetic.RULES,
    Rule(_GROUPED, _say_grouped, re.compile(rf"[0-9](?:{SPACE}|['\u2019])[0-9]{{3}}")),
    Rule(_INDIAN, _say_grouped, re.compile("[0-9],[0-9]{2},[0-9]")),
    *serials.TOUCHING,
    Rule(_COMMA_DECIMAL, _say_comma_decimal, re.compile("[0-9],[0-9]")),
    Rule(_DOTTED, _say_dotted, re.compile(r"[0-9]\.[0-9]{1,4}\.[0-9]")),
    Rule(_NUMBER, _say_number, DIGIT),
    Rule(_OTHER_DIGITS, _say_other_digits),
)
