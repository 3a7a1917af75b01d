"""Rules for what is seen and not said: emoji, emoticons, characters without width, control characters."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.rewriting import Rule

_JOINERS: Final = "\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f"
# Whole blocks: pictographs, dingbats, geometric shapes; the signs of music that are said are left out.
_PICTURES: Final = (
    "\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u24c2\u25a0-\u266c\u2670-\u27bf\u2934\u2935\u2b05-\u2b07\u2b12-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_EMOJI: Final = re.compile(
    rf"[ \t]?[{_PICTURES}{_JOINERS}]++(?:[ \t][{_PICTURES}{_JOINERS}]++){{0,20}}[ \t]?"
)
_KEYCAP: Final = re.compile(r"[0-9#*]\ufe0f?\u20e3[ \t]?")
_EMOTICON: Final = re.compile(
    r"(?:[ \t]|(?<![\w:;.)\]|-]))(?:>?[:;=]['’]?-?[)(DP]{1,3}|[:;]-?[/\\|oO*3](?!/)|:-\]|:-\["
    r"|\^[_.]?\^|¯\\_\(ツ\)_/¯|[xX]D|</?3(?=[\s!?]|\.(?!\d)|$)|[oO0]_[oO0]|-_-|T_T|>[._]<)(?![\w/])"
)
# Between a person and what is loved.
_HEART: Final = re.compile(r"(?<=[A-Za-z] )<3(?= [A-Za-z])")
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\ufe00-\ufe0d\ufeff\ufff0-\ufffd\ud800-\udfff\ue001-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]++"
)
_CLOSING: Final = ".,!?;:)]}”’…"


def _gap(match: re.Match[str]) -> str:
    """A space where one is needed to keep two words apart."""
    text = match.string
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    after = text[match.end() : match.end() + 1]
    return " " if before.strip() and after.strip() and after not in _CLOSING else ""


def _nothing(match: re.Match[str]) -> str:
    return ""


RULES: Final[tuple[Rule, ...]] = (
    Rule(_INVISIBLE, _nothing),
    Rule(_KEYCAP, _gap, re.compile("\u20e3")),
    Rule(_HEART, lambda match: "love", re.compile("<3")),
    Rule(_EMOTICON, _gap, re.compile(r"[:;=^][-'’)(DP/\\|oO*3_.^]|[xX]D|ツ|<[/3]|[oO0T-]_|>[._]<")),
    Rule(_EMOJI, _gap, re.compile(rf"[{_PICTURES}{_JOINERS}]")),
)
