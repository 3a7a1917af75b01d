"""Rules that take markdown and HTML away and leave the words: markers go, what they mark stays."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Final

from gpu_worker.text.normalization.context import padded
from gpu_worker.text.normalization.spelling import name
from gpu_worker.text.rewriting import TAKEN, Rule

_FENCE: Final = re.compile(r"^[ \t]{0,8}(?:`{3,}+|~{3,}+)[^\n`]{0,80}$", re.M)
_RULER: Final = re.compile(
    r"^[ \t]{0,8}(?:-{3,}+|\*{3,}+|_{3,}+|={3,}+|(?:[-*_][ \t]{1,4}){2,20}[-*_])[ \t]{0,40}$", re.M
)
_TABLE_RULER: Final = re.compile(r"^[ \t:-]{0,100}\|[ \t|:-]{1,300}$", re.M)
_HEADING: Final = re.compile(r"^[ \t]{0,8}#{1,6}[ \t]{1,8}(?=\S)|[ \t]{1,4}#{2,6}[ \t]{0,8}$", re.M)
_QUOTE: Final = re.compile(r"^[ \t]{0,8}(?:>[ \t]?){1,8}(?=[^\s\d=])", re.M)
_BULLET: Final = re.compile(r"^[ \t]{0,24}[-*+•‣◦▪⁃–][ \t]{1,8}(?:\[[ xX]\][ \t]{1,8})?(?=\S)", re.M)
_COMMENT: Final = re.compile(r"<!--[^<]{0,2000}-->")
_TAG_NAMES: Final = (
    "a|abbr|address|article|aside|audio|b|bdi|bdo|big|blockquote|body|br|button|caption|center|cite|code|col|dd"
    "|del|details|dfn|div|dl|dt|em|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img"
    "|input|ins|kbd|label|li|link|main|mark|meta|nav|ol|option|p|pre|q|s|samp|section|select|small|source|span"
    "|strike|strong|sub|summary|sup|svg|table|tbody|td|tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr"
    "|speak|break|prosody|emphasis|say-as|voice|phoneme"
)
_TAG: Final = re.compile(rf"</?(?:{_TAG_NAMES})(?:[\s/][^<>]{{0,500}})?>", re.I)
_INLINE_TAG: Final = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|small|span|strike|strong|sub|sup|tt|u|var|wbr)\b",
    re.I,
)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,24}[0-9]{0,2});")

_DEFINITION: Final = re.compile(
    r"^[ \t]{0,3}\[[^\[\]\n]{1,80}\]:[ \t]{1,8}(?:<|https?:|www\.)[^\n]{0,500}$", re.M
)
_FORMULA_START: Final = re.compile(r"(?<![\w$\\])\$(?=[A-Za-z\\(][^$\n]{0,200}[^$\s]\$(?![\w$]))")
_FORMULA_STOP: Final = re.compile(r"(?<=[^\s$])\$(?![\w$])")
# Markup of no known kind: closing, empty, with attributes, or closed further on.
_UNKNOWN_TAG: Final = re.compile(
    r"<(?P<slash>/?)(?P<name>[A-Za-z][\w:-]{0,40})"
    r"(?P<more>[ \t]{0,4}=[^<>\n]{0,200}|\s{1,4}[\w:-]{1,40}[ ]?=[^<>\n]{0,400}|\s{0,4})(?P<empty>/?)>"
)
_CLOSED_WITHIN: Final = 2000
_NAMED_TAG: Final = re.compile(
    r"(?<![\w<])</?(?P<name>[A-Za-z][A-Za-z0-9-]{0,20})[ ]?/?>"
    r"(?=[`'\"”’]?[ ](?:tags?|elements?|blocks?|attributes?)\b)"
    r"|(?<=`)</?(?P<code>[A-Za-z][A-Za-z0-9-]{0,20})[ ]?/?>(?=`)"
)
_MENU: Final = re.compile(r"[ ][>›»](?=[ ][A-Z][a-z])")
_MENU_BEFORE: Final = re.compile(r"(?:^|[^\w])[A-Z][A-Za-z]+(?:\.{3}|…)?\Z")
_PLACE_START: Final = re.compile(r"(?<!\w)<(?=[A-Za-z][\w '’.,-]{0,80}>)")
_PLACE: Final = re.compile(r"[A-Za-z][\w '’.,-]{0,80}")
_PLACE_STOP: Final = re.compile(r"(?<=[\w.])>(?!\w)")
_FOOTNOTE: Final = re.compile(
    r"(?<=[\w.,;:!?\"'”’)%\]])\[\^?\d{1,3}(?:[,–-] ?\d{1,3}){0,5}\]|\[\^[\w-]{1,40}\](?::[ \t]?)?"
)
_LINK_STOP: Final = re.compile(
    r"\]\((?:<[^<>\n]{0,1000}>|[^\s()\[\]<>]{0,1000}(?:\([^\s()]{0,200}\)[^\s()\[\]]{0,500})?)"
    r"(?:[ \t]{1,3}[\"'][^\"'\n\[\]]{0,200}[\"'])?\)"
)
_LINK_START: Final = re.compile(rf"!?\[(?=[^\[\]\n]{{0,400}}{TAKEN})")
_REFERENCE_START: Final = re.compile(r"(?<!\w)!?\[(?=[^\[\]\n]{1,400}\]\[[^\[\]\n]{0,80}\])")
_REFERENCE_STOP: Final = re.compile(r"\]\[[^\[\]\n]{0,80}\]")

_ESCAPED: Final = re.compile(r"(?<![\w:\\])\\[*_#`~\[\]>|!()]|(?<=[\w)}])\\[)\]]")
# 'a 5* hotel'.
_RATED: Final = re.compile(
    r"(?<=\b[1-7])\*(?= (?:hotels?|resorts?|restaurants?|reviews?|ratings?|luxury|stay)\b)"
)
_STARS_OPEN: Final = re.compile(r"(?<![\w*])\*{1,3}(?=[^\s*][^*\n]{0,400}\*)")
_STARS_CLOSE: Final = re.compile(r"(?<=[^\s*])\*{1,3}(?![\w*(])")
_STARS_INSIDE: Final = re.compile(r"(?<=[a-z])\*\*(?=[a-z][^*\n]{0,100}\*\*)|(?<=[a-z])\*\*(?=[a-z])")
_LINE_OPEN: Final = re.compile(r"(?<![\w@#/._\\-])_{1,3}(?=[^\s_][^\n]{0,400}_(?!\w))")
_LINE_CLOSE: Final = re.compile(r"(?<=[^\s_@/\\-])_{1,3}(?![\w@/.\\-]|\.\w)")
_STRUCK: Final = re.compile(r"~~(?=[^\s~])|(?<=[^\s~])~~")
_MARKED: Final = re.compile(rf"(?<![\w=!<>])==(?=[^\s=])|(?<=[^\s=])==(?![\w=\s({TAKEN}])")
_TICKS: Final = re.compile(r"(?<![\w`])`{1,3}(?!`)|(?<=\S)`{1,3}(?![\w`])|`(?=`)")
_TICK_IN_WORD: Final = re.compile(r"(?<=[A-Za-z])`(?=[A-Za-z]{1,2}(?![A-Za-z]))")
_PIPE: Final = re.compile(
    r"^[ \t]{0,8}\|[ \t]{0,8}|[ \t]{0,8}(?<!\|)\|[ \t]{0,8}$|[ \t]{1,8}\|[ \t]{1,8}", re.M
)

_ENTITY_WORDS: Final = {
    "&": "and",
    "<": "less than",
    ">": "greater than",
    "©": "copyright",
    "®": "registered",
    "™": "trademark",
    "×": "times",
    "÷": "divided by",
    "°": "degrees",
    "§": "section",
}


def _nothing(match: re.Match[str]) -> str:
    return ""


def _tag(match: re.Match[str]) -> str | None:
    compared = match.string[max(0, match.start() - 1) : match.start()].isalnum() and " " in match[0]
    if compared and not any(sign in match[0] for sign in "=/"):
        return None
    return "" if _INLINE_TAG.match(match[0]) else " "


def _unknown_tag(match: re.Match[str]) -> str | None:
    text, stop = match.string, match.end()
    if match["more"][:1] == "=" and text[max(0, match.start() - 1) : match.start()].isalnum():
        return None
    bare = not (match["slash"] or match["empty"] or "=" in match["more"])
    if bare and text.find(f"</{match['name']}>", stop, stop + _CLOSED_WITHIN) < 0:
        return None
    apart = text[max(0, match.start() - 1) : match.start()].isalnum() and text[stop : stop + 1].isalnum()
    return " " if apart else ""


def _menu(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 24) : match.start()]
    return "," if _MENU_BEFORE.search(before) else None


def _entity(match: re.Match[str]) -> str | None:
    character = html.unescape(match[0])
    if character == match[0]:
        return None
    if not character.isprintable() or character.isspace():
        return " "
    said = _ENTITY_WORDS.get(character)
    return padded(match, said) if said else character


def _footnote(match: re.Match[str]) -> str | None:
    return "" if match.start() else None


def _stop_of(start: str) -> Callable[[re.Match[str]], str | None]:
    """What closes goes with what opened it: the last thing taken is nearer than the last `start`."""

    def say(match: re.Match[str]) -> str | None:
        before = match.string[max(0, match.start() - 400) : match.start()]
        return "" if before.rfind(TAKEN) > before.rfind(start) else None

    return say


def _formula_stop(match: re.Match[str]) -> str | None:
    """The second dollar sign of a formula, whose first is taken."""
    before = match.string[max(0, match.start() - 202) : match.start()]
    formula = before.rpartition(TAKEN)[2]
    return "" if len(formula) < len(before) and "\n" not in formula and "$" not in formula else None


def _place_stop(match: re.Match[str]) -> str | None:
    """The end of a placeholder such as <your name>, whose beginning is taken."""
    before = match.string[max(0, match.start() - 82) : match.start()]
    name = before.rpartition(TAKEN)[2]
    return "" if len(name) < len(before) and _PLACE.fullmatch(name) else None


def _pipe(match: re.Match[str]) -> str:
    text = match.string
    line_begins = not match.start() or text[match.start() - 1] == "\n"
    line_ends = match.end() == len(text) or text[match.end()] == "\n"
    return "" if line_begins or line_ends else ", "


_STAR: Final = re.compile(r"\*")
_LINE: Final = re.compile("_")
_BRACKET: Final = re.compile(r"\]")

RULES: Final[tuple[Rule, ...]] = (
    Rule(_FENCE, _nothing, re.compile("```|~~~")),
    Rule(_RULER, _nothing, re.compile(r"---|\*\*\*|___|===|[-*_] [-*_]")),
    Rule(_TABLE_RULER, _nothing, re.compile(r"\|")),
    Rule(_HEADING, _nothing, re.compile("#")),
    Rule(_COMMENT, _nothing, re.compile("<!--")),
    Rule(_NAMED_TAG, lambda match: name(match["name"] or match["code"]), re.compile("<")),
    Rule(_TAG, _tag, re.compile("<")),
    Rule(_UNKNOWN_TAG, _unknown_tag, re.compile("<[A-Za-z/]")),
    Rule(_MENU, _menu, re.compile(r" [>›»] ")),
    Rule(_PLACE_START, _nothing, re.compile("<[A-Za-z]")),
    Rule(_PLACE_STOP, _place_stop, re.compile(f"{TAKEN}.{{1,82}}>")),
    Rule(_ENTITY, _entity, re.compile("&[A-Za-z#]")),
    Rule(_QUOTE, _nothing, re.compile(r"^[ \t]{0,8}>", re.M)),
    Rule(_BULLET, _nothing, re.compile(r"^[ \t]{0,24}[-*+•‣◦▪⁃–][ \t]", re.M)),
    Rule(_DEFINITION, _nothing, re.compile(r"\]:")),
    Rule(_FORMULA_START, _nothing, _FORMULA_START),
    Rule(_FORMULA_STOP, _formula_stop, re.compile(rf"{TAKEN}[A-Za-z\\(][^$\n]{{0,200}}\$")),
    Rule(_LINK_STOP, _nothing, re.compile(r"\]\(")),
    Rule(_LINK_START, _nothing, re.compile(rf"\[[^\[\]]{{0,400}}{TAKEN}")),
    Rule(_REFERENCE_START, _nothing, re.compile(r"\]\[")),
    Rule(_REFERENCE_STOP, _stop_of("["), re.compile(r"\]\[")),
    Rule(_FOOTNOTE, _footnote, re.compile(r"\[[\^\d]")),
    Rule(_ESCAPED, lambda match: match[0][1] if match[0][1] in "[]()!" else "", re.compile(r"\\")),
)
# After the rules for addresses, which hold the same signs.
INLINE_RULES: Final[tuple[Rule, ...]] = (
    Rule(_RATED, lambda match: " star", re.compile(r"[1-7]\* [hrls]")),
    Rule(_STARS_OPEN, _nothing, _STAR),
    Rule(_STARS_CLOSE, _nothing, _STAR),
    Rule(_STARS_INSIDE, _nothing, _STAR),
    Rule(_LINE_OPEN, _nothing, _LINE),
    Rule(_LINE_CLOSE, _nothing, _LINE),
    Rule(_STRUCK, _nothing, re.compile("~~")),
    Rule(_MARKED, _nothing, re.compile("==")),
    Rule(_TICK_IN_WORD, lambda match: "'", re.compile("`")),
    Rule(_TICKS, _nothing, re.compile("`")),
    Rule(_PIPE, _pipe, re.compile(r"\|")),
)
