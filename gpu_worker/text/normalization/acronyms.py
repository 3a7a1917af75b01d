"""Rules for words in capitals: acronyms spelled letter by letter or said, and words that are only loud."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization.acronym_words import EITHER, MIXED, SAID, SPELLED, WORDS
from gpu_worker.text.normalization.context import word_after, word_before
from gpu_worker.text.normalization.numerals import is_count
from gpu_worker.text.normalization.roman import value
from gpu_worker.text.normalization.spelling import pronounceable, spelled
from gpu_worker.text.normalization.words import cardinal, digits
from gpu_worker.text.rewriting import Rule

_WORD: Final = re.compile(r"(?<![\w'’])([A-Z]{2,24}+)(['’]?s)?(?![\w]|['’][A-Z])")
_LONGEST_SPELLED: Final = 8
_NUMERAL: Final = re.compile(r"I{2,3}|VI{0,3}|IX|XI{1,3}|XIV|XVI{0,3}|XI?X|XXI{1,3}")

_MIXED: Final = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted((re.escape(word) for word in MIXED), key=len, reverse=True))})(?![\w])"
)
_WITH_AND: Final = re.compile(r"(?<![\w&])([A-Z]{1,4})&([A-Z]{1,4})(s|['’]s)?(?![\w&])")
_ALTERNATING: Final = re.compile(r"(?<![\w-])([A-Z]{1,3})(\d{1,2})([A-Z]{1,3})(\d{0,2})(s)?(?![\w]|-\d)")
_ELEMENT: Final = (
    "A[cglmrstu]|B[aehikr]?|C[adeflmorsu]?|D[bsy]|E[rsu]|F[elmr]?|G[ade]|H[efgos]?|I[nr]?|Kr?|L[airu]|M[gnot]"
    "|N[abdeiop]?|Os?|P[abdmortu]?|R[abefhnu]|S[bceimnr]?|T[abcehilm]|U|V|W|Xe|Yb?|Z[nr]"
)
_FORMULA: Final = re.compile(
    rf"(?<![\w-])(?=[A-Za-z]{{0,6}}[\d₀-₉])(?:(?:{_ELEMENT})[\d₀-₉]{{0,3}}){{2,10}}(?![\w])"
)
_SUBSCRIPTED: Final = re.compile(rf"(?<![\w-])(?:(?:{_ELEMENT})[₀-₉]{{0,3}}){{1,10}}(?![\w])")
_DIMENSIONS: Final = re.compile(r"(?<![\w.,$€£-])(\d{1,2})([DGK])(?:s(?!\w))?(?![\w]|['’]\w)")
_MEDIA: Final = re.compile(r"(?<![\w-])(MP|PS|PM|HD|RTX|GTX|GT|XP|EC|WW|UB)(\d{1,2})(s)?(?![\w.])")
_SMALL_FIRST: Final = re.compile(r"(?<![\w'’])([a-z])([A-Z]{2,5})(s)?(?!\w)")
_CAPITALS_THEN_DIGITS: Final = re.compile(r"(?<![\w-])([A-Z]{2,5})(\d{1,4})(?![\w]|[.,]\d)")

_SUBSCRIPTS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_PARTS: Final = re.compile(r"[A-Z][a-z]?|\d+")


def _small_number(written: str) -> str:
    return digits(written) if written[0] == "0" and len(written) > 1 else cardinal(int(written))


def _with_and(match: re.Match[str]) -> str:
    return f"{spelled(match[1])} and {spelled(match[2])}{match[3] or ''}"


def _alternating(match: re.Match[str]) -> str:
    first, number, rest, last = match[1], match[2], match[3], match[4]
    spoken = f"{spelled(first)} {_small_number(number)} {spelled(rest)}"
    return f"{spoken}{' ' + _small_number(last) if last else ''}{match[5] or ''}"


def _formula(match: re.Match[str]) -> str | None:
    written = match[0].translate(_SUBSCRIPTS)
    parts = _PARTS.findall(written)
    if len(parts) < 2:
        return None
    if written == match[0] and sum(1 for part in parts if part.isalpha()) < 2:
        return None
    return " ".join(_small_number(part) if part.isdigit() else spelled(part) for part in parts)


def _subscripted(match: re.Match[str]) -> str | None:
    return _formula(match) if match[0] != match[0].translate(_SUBSCRIPTS) else None


def _dimensions(match: re.Match[str]) -> str | None:
    if match[2] == "K" and is_count(match):
        return None
    plural = "s" if match[0].endswith("s") else ""
    return f"{cardinal(int(match[1]))} {match[2]}{plural}"


def _letters_then_number(match: re.Match[str]) -> str:
    letters = match[1]
    said = letters if letters in SAID else spelled(letters)
    number = match[2]
    spoken = f"{said} {_small_number(number) if len(number) < 3 else digits(number)}"
    return f"{spoken}{(match[3] or '') if match.re.groups > 2 else ''}"


def _word(match: re.Match[str]) -> str | None:
    """A word in capitals spelled, or left as it is where it is said as a word."""
    written, ending = match[1], match[2] or ""
    if len(written) > _LONGEST_SPELLED or written in SAID:
        return None
    if _NUMERAL.fullmatch(written) and not ending and written not in ("VI", "XI", "XX", "XIX"):
        return cardinal(value(written))
    if written in EITHER:
        if _word_in_context(match):
            return None
        return f"{spelled(written)}{ending}"
    if written in SPELLED:
        return f"{spelled(written)}{ending}"
    lower = written.lower()
    if lower in WORDS or (ending and lower + "s" in WORDS):
        return None
    readable = pronounceable(lower)
    if not readable:
        return f"{spelled(written)}{ending}"
    if len(written) > 3 or _shouted(match):
        return None
    return f"{spelled(written)}{ending}"


# Of EITHER: words but for 'the WHO', and words wherever they stand.
_BODIES: Final = frozenset(("WHO", "ICE", "DOT"))
_RATHER_WORDS: Final = frozenset(("OR", "IN", "ME", "ADD", "AID", "ACT"))


def _word_in_context(match: re.Match[str]) -> bool:
    """Whether what may be an acronym is a word here: 'JOIN US', but 'the US'."""
    written, text = match[1], match.string
    before = word_before(text, match.start())
    if written in _BODIES:
        return before.lower() not in ("the", "of", "by", "from")
    return (written == "AM" and before == "I") or written in _RATHER_WORDS or _shouted(match)


def _shouted(match: re.Match[str]) -> bool:
    """Whether a neighbour is an ordinary word in capitals."""
    neighbours = (word_before(match.string, match.start()), word_after(match.string, match.end()))
    if neighbours[0].endswith("."):
        neighbours = ("", neighbours[1])
    return any(
        len(word) > 1
        and word.isupper()
        and (word.lower() in WORDS or (len(word) > 4 and pronounceable(word)))
        for word in neighbours
    )


def _small_first(match: re.Match[str]) -> str:
    letters = match[2] if match[2] in SAID else spelled(match[2])
    return f"{match[1]} {letters}{match[3] or ''}"


_CAPITALS: Final = re.compile(r"[A-Z]{2}")
_CAPITAL_DIGIT: Final = re.compile(r"[A-Za-z][\d₀-₉]")

# What holds figures too goes before the rules for numbers.
EARLY_RULES: Final[tuple[Rule, ...]] = (
    Rule(_MIXED, lambda match: MIXED[match[0]], re.compile(r"[a-z][A-Z]|WWI|AKA|TL;|\d")),
    Rule(_WITH_AND, _with_and, re.compile(r"[A-Z]&[A-Z]")),
    Rule(_FORMULA, _formula, _CAPITAL_DIGIT),
    Rule(_SUBSCRIPTED, _subscripted, re.compile("[₀-₉]")),
    Rule(_ALTERNATING, _alternating, _CAPITAL_DIGIT),
    Rule(_DIMENSIONS, _dimensions, re.compile(r"\d[DGK]")),
    Rule(_MEDIA, _letters_then_number, _CAPITAL_DIGIT),
)
RULES: Final[tuple[Rule, ...]] = (
    Rule(_CAPITALS_THEN_DIGITS, _letters_then_number, _CAPITAL_DIGIT),
    Rule(_SMALL_FIRST, _small_first, re.compile("[a-z][A-Z]{2}")),
    Rule(_WORD, _word, _CAPITALS),
)
