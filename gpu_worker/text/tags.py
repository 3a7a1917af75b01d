"""Tags in brackets: performances such as `[laugh]`, silences such as `[pause:0.5s]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from gpu_worker.text.rewriting import Rewrite

KNOWN_TAGS: Final = (
    "laugh",
    "chuckle",
    "cough",
    "sigh",
    "gasp",
    "groan",
    "sniff",
    "shush",
    "clear throat",
)
MAX_PAUSE_MS: Final = 10_000

UnknownTags = Literal["error", "drop", "speak"]

# Links of markdown, their definitions and [[links of wikis]] are left to the rules for such text.
_BRACKETED: Final = re.compile(
    r"(?<!\[)\[([^\[\]\n]{1,48})\](?!\(|\]|\[\]|\[[0-9]|:[ \t]{0,4}(?:<|https?:|www\.))"
)
_PAUSE: Final = re.compile(r"pause\s*:\s*([0-9]{0,6}(?:\.[0-9]{1,6})?)\s*(ms|s)", re.IGNORECASE)
_MALFORMED_PAUSE: Final = re.compile(r"pause\s*:.*", re.IGNORECASE)
_WORDS: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '’-])*")
_MAX_WORDS_CHARACTERS: Final = 32
_FOLLOWS_CLOSELY: Final = frozenset(" \t\r\n.,;:!?…)\"'”’。，！？")


class UnknownTagError(ValueError):
    """A word in brackets that no engine performs, where the caller asked that it be refused."""

    def __init__(self, tag: str) -> None:
        known = ", ".join(f"[{tag}]" for tag in KNOWN_TAGS)
        super().__init__(
            f"[{tag}] is not a tag; known are {known}, and [pause:0.5s] or [pause:300ms]"
            f" for silence of up to {MAX_PAUSE_MS // 1000} s."
        )
        self.tag = tag


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence of 1 to 10,000 ms at text[start]."""

    start: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Tags:
    """What is said in place of a text's tags, and the silences among them; both in the text's order."""

    rewrites: tuple[Rewrite, ...]
    pauses: tuple[Pause, ...]


def find_tags(text: str, *, unknown: UnknownTags, performs: bool) -> Tags:
    """The tags of `text`. Known ones stay for an engine that performs them and are left out otherwise.

    `unknown` says what becomes of other words in brackets: `speak` leaves out their brackets alone, `drop`
    all of them, `error` raises UnknownTagError. Numbers, footnotes and links in brackets are text.
    """
    rewrites: list[Rewrite] = []
    pauses: list[Pause] = []
    for match in _BRACKETED.finditer(text):
        start, stop = match.span()
        words = " ".join(match[1].split())
        duration_ms = _pause_ms(words)
        if duration_ms is not None:
            rewrites.append(_left_out(text, start, stop, rewrites))
            pauses.append(Pause(rewrites[-1].start, duration_ms))
        elif words.lower() in KNOWN_TAGS:
            kept = Rewrite(start, stop, f"[{words.lower()}]")
            rewrites.append(kept if performs else _left_out(text, start, stop, rewrites))
        elif _is_tag(words):
            if unknown == "error":
                raise UnknownTagError(words)
            if unknown == "drop":
                rewrites.append(_left_out(text, start, stop, rewrites))
            else:
                rewrites += _brackets_left_out(text, start, stop)
    return Tags(tuple(rewrites), tuple(pauses))


def _pause_ms(words: str) -> int | None:
    match = _PAUSE.fullmatch(words)
    if not match or not match[1]:
        return None
    duration_ms = round(float(match[1]) * (1000 if match[2].lower() == "s" else 1))
    return duration_ms if 0 < duration_ms <= MAX_PAUSE_MS else None


def _is_tag(words: str) -> bool:
    """Whether it reads as a word: a lone letter of ASCII is a footnote or a ticked box."""
    if _MALFORMED_PAUSE.fullmatch(words):
        return True
    is_lone_letter = len(words) == 1 and words.isascii()
    return len(words) <= _MAX_WORDS_CHARACTERS and not is_lone_letter and bool(_WORDS.fullmatch(words))


def _left_out(text: str, start: int, stop: int, before: list[Rewrite]) -> Rewrite:
    """Takes the space before a tag along where another follows, and keeps words apart where none is."""
    previous, following = text[start - 1 : start], text[stop : stop + 1]
    if previous.isalnum() and following.isalnum():
        return Rewrite(start, stop, " ")
    is_free = not before or before[-1].stop < start
    if previous == " " and is_free and (not following or following in _FOLLOWS_CLOSELY):
        return Rewrite(start - 1, stop, "")
    return Rewrite(start, stop, "")


def _brackets_left_out(text: str, start: int, stop: int) -> tuple[Rewrite, Rewrite]:
    opening = " " if text[start - 1 : start].isalnum() else ""
    closing = " " if text[stop : stop + 1].isalnum() else ""
    return Rewrite(start, start + 1, opening), Rewrite(stop - 1, stop, closing)
