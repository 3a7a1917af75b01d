"""Rules for signs that stand alone: said by name where they mean a word, silent where they are ornament."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization import units
from gpu_worker.text.normalization.context import padded, word_before
from gpu_worker.text.normalization.symbol_names import COMPARED, LETTERS, NAMES
from gpu_worker.text.normalization.words import cardinal, digits
from gpu_worker.text.rewriting import Rule

_GREEK: Final = "\u0370-\u03ff\u1f00-\u1fff"
_PAIRS: Final = re.compile(
    r"(?<![<>=!&|+/§¶-])(?:<=|>=|!=|[-+/]=(?= )|==|&&|\|\||-{1,2}>|=>|<-(?![\d-])"
    r"|\+/?-|<<|>>|§§|¶¶)(?![<>=!&|+§¶-])"
)
_ARROW_FIRST: Final = re.compile(r"^[ \t]{0,8}(?:[→⟶⇒➔➜]|-{1,2}>|=>)[ \t]{0,4}", re.M)
_GREEK_LETTER: Final = re.compile(rf"(?<![{_GREEK}])[Α-Ωα-ω](?![{_GREEK}])")
_SUPERSCRIPT: Final = re.compile(r"(?<=[\w)\]])(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6})(?![⁰¹²³⁴⁵⁶⁷⁸⁹])")
_POWER_N: Final = re.compile(r"(?<=[\w)\]])ⁿ")
_SUBSCRIPT: Final = re.compile(r"[₀-₉]{1,6}")
_PLUS: Final = re.compile(
    r"(?<=[\w)\ue000] )\+(?= [\w($\ue000])|(?<=[\w)\ue000])\+(?=[\w($\ue000])"
    r"|(?<=[A-Za-z\d\ue000])\+(?![+\w])|(?<!\S)\+(?!\S)"
)
_ABOUT: Final = re.compile(r"(?<![\w/])[~≈∼≃]{1,2}[ ]?(?=[\d$€£\ue000])")
_FACTOR: Final = r"[A-Za-z\d)\ue000]"
_STAR_BETWEEN: Final = re.compile(
    rf"(?<=\b[A-Za-z\d)] )\*(?= {_FACTOR}(?![A-Za-z]))|(?<=[)\d\ue000] )\*(?= [\w(\ue000])"
    r"|(?<=\b[A-Za-z\d)])\*(?=[A-Za-z\d(]\b)|(?<=\ue000)\*(?=\ue000)"
)
_STARS: Final = re.compile(r"(?<=[\w)])\*\*(?=[\d(\ue000])|(?<=[\w)] )\*\*(?= [\w(\ue000])")
_STAR: Final = re.compile(r"(?<=\w )\*(?= \w)")
_STAR_CODE: Final = re.compile(
    r"(?<![\w*)\ue000-])(?<![\w)\ue000] )\*(?=\ue000{2,3}(?!\ue000))|(?<=[Dd]ial )\*(?=\ue000)"
)
_SLASH_SPACED: Final = re.compile(r" / ")
_SLASH: Final = re.compile(r"(?<=[\w.)\ue000])/(?=[\w.(\ue000])|(?<!\S)/(?=\w)")
_POWER: Final = re.compile(r"(?<=[\w)\]\ue000])\^(?=[\w({\ue000])")
# A line to fill in, and a sign that is repeated for its looks.
_BLANK: Final = re.compile(r"_{2,}+|([@#%&=<>$€£^+\\/°§©®™→])\1{2,}+")
_MARKS: Final = "©®™"
# The prompt of a command line.
_PROMPT: Final = re.compile(r"^[ \t]{0,8}\$ (?=[a-z./~])", re.M)
_NUMBER_OF: Final = re.compile(r"(?<=\b[Tt]he )#(?= of\b)")
# The brackets of a type and its parameters, as in 'List<String>', and no comparison.
_TYPE_OPEN: Final = re.compile(r"(?<=\w)(?<!\b\w)<(?=[A-Za-z][\w, .?&\[\]<]{0,60}>)")
_TYPE_CLOSE: Final = re.compile(r"(?<=[\w\]?])>{1,3}(?![\w=>])")
_TYPE_OPENED: Final = re.compile(r"(?<=\w)\ue000[A-Za-z][\w, .?&\[\]\ue000]{0,60}\Z")
_NUMBER_SIGN: Final = re.compile(r"(?<!\w)#(?=\s?[\d\ue000]|\s[A-Z]{1,3}\ue000)")
_ORNAMENT: Final = re.compile(r"[†‡•◦∙·※❧*~|`^¦↑↓←↗↘↖↙]{1,8}|[{}]{1,4}")
_NAMED: Final = re.compile(f"[{re.escape(''.join(NAMES))}]")

_EXPONENTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")


def _named(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()].rstrip().lower()
    if match[0] in _MARKS and before.endswith(NAMES[match[0]]):
        return ""
    if match[0] == "$" and match.string[match.end() : match.end() + 1].isalpha():
        return padded(match, "dollar")
    return padded(match, NAMES[match[0]])


def _pair(match: re.Match[str]) -> str:
    return padded(match, COMPARED[match[0]])


def _greek(match: re.Match[str]) -> str | None:
    said = LETTERS.get(match[0].lower())
    return padded(match, said) if said else None


def _superscript(match: re.Match[str]) -> str:
    number = match[2].translate(_EXPONENTS)
    if not match[1] and number in ("2", "3"):
        return padded(match, "squared" if number == "2" else "cubed")
    sign = "minus " if match[1] else ""
    return padded(match, f"to the power of {sign}{cardinal(int(number))}")


def _subscript(match: re.Match[str]) -> str:
    return padded(match, digits(match[0].translate(_EXPONENTS)))


def _ornament(match: re.Match[str]) -> str:
    text = match.string
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    after = text[match.end() : match.end() + 1]
    return " " if before.isalnum() and after.isalnum() else ""


_RAISED: Final = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ₀-₉]")

_TYPED_MARK: Final = re.compile(r"(?<=[A-Za-z\d])\((?:TM|R)\)|\([Cc]\)(?= ?(?:(?:19|20)\d\d))")


def _typed_mark(match: re.Match[str]) -> str:
    if match[0][1] in "Cc" and word_before(match.string, match.start()).lower() == "copyright":
        return ""
    return padded(match, {"T": "trademark", "R": "registered"}.get(match[0][1], "copyright"))


_LETTERS_SLASH: Final = re.compile(
    r"(?<=(?<![\w/])(?:AM|AC|CI))/(?=(?:FM|DC|CD)(?!\w))|(?<=(?<![\w/])TCP)/(?=IP\b)|(?<=(?<![\w/])[A-Z])/(?=[A-Z](?![\w/]))"
)
_PER: Final = re.compile(
    r"(?<=[a-z\ue000])(?<!day)(?<!week)(?<!month)(?<!year)(?<!hour)(?<!night)/"
    r"(?=(?:day|week|month|year|hour|person|night|serving|customer)(?![\w/]))"
)
_PER_UNIT: Final = re.compile(r"(?<=[s\ue000])/(km|mi|kg|lb|hr|min|sec|gal)(?![\w/])")
_GRADE: Final = re.compile(r"(?<=[ (])([A-F])[-\u2212](?=[ ,.;)]|$)")
_GRADED: Final = re.compile(r"\b(?:an?|my|his|her|got|gets?|from|to|grade|with) \Z")


def _per_unit(match: re.Match[str]) -> str:
    return f" per {units.per(match[1])}"


def _grade(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 10) : match.start()]
    closed = match.string[match.end() : match.end() + 1] in ("", ",", ".", ")")
    return f"{match[1]} minus" if closed or _GRADED.search(before) else None


def _type_close(match: re.Match[str]) -> str | None:
    opened = _TYPE_OPENED.search(match.string, max(0, match.start() - 64), match.start())
    return "" if opened else None


EARLY_RULES: Final[tuple[Rule, ...]] = (
    Rule(_PROMPT, lambda match: "", re.compile(r"\$ [a-z./~]")),
    Rule(_TYPE_OPEN, lambda match: " of ", re.compile("<[^>]{1,62}>")),
    Rule(_TYPE_CLOSE, _type_close, re.compile("\ue000[A-Za-z][^>]{0,62}>")),
    Rule(_NUMBER_OF, lambda match: "number", re.compile("# of")),
    Rule(_LETTERS_SLASH, lambda match: " ", re.compile("[A-Z]/[A-Z]")),
    Rule(_GRADE, _grade, re.compile(r"[A-F][-\u2212]")),
    Rule(_TYPED_MARK, _typed_mark, re.compile(r"\([TRCc]")),
)
RULES: Final[tuple[Rule, ...]] = (
    Rule(_BLANK, _ornament, re.compile(r"([@#%&=<>$€£^+\\/_°§©®™→])\1")),
    Rule(_ARROW_FIRST, lambda match: "", re.compile("[→⟶⇒➔➜>]")),
    Rule(_PAIRS, _pair, re.compile(r"[<>=!+/-][=>/<-]|[-=]>|<-|&&|\|\||§§|¶¶")),
    Rule(_GREEK_LETTER, _greek, re.compile(f"[{_GREEK}]")),
    Rule(_SUPERSCRIPT, _superscript, _RAISED),
    Rule(_POWER_N, lambda match: padded(match, "to the power of n"), _RAISED),
    Rule(_SUBSCRIPT, _subscript, _RAISED),
    Rule(_ABOUT, lambda match: "about ", re.compile("[~≈∼≃]")),
    Rule(_PLUS, lambda match: padded(match, "plus"), re.compile(r"\+")),
    Rule(_STARS, lambda match: padded(match, "to the power of"), re.compile(r"\*\*")),
    Rule(_STAR_BETWEEN, lambda match: padded(match, "times"), re.compile(r"\*")),
    Rule(_STAR_CODE, lambda match: "star ", re.compile(r"\*")),
    Rule(_STAR, lambda match: "star", re.compile(r"\*")),
    Rule(_PER, lambda match: " per ", re.compile("/[dwmyhpnsc]")),
    Rule(_PER_UNIT, _per_unit, re.compile("[s\ue000]/[kmlhsg]")),
    Rule(_SLASH_SPACED, lambda match: " slash ", re.compile(" / ")),
    Rule(_SLASH, lambda match: padded(match, "slash"), re.compile("/")),
    Rule(_NUMBER_SIGN, lambda match: "number ", re.compile("#")),
    Rule(_POWER, _named, re.compile(r"\^")),
    Rule(_ORNAMENT, _ornament),
    Rule(_NAMED, _named),
)
