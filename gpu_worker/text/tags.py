"""Performance tags such as `[laugh]`: taken out by overwriting, so that offsets stay the caller's."""

from __future__ import annotations

import re
from typing import Final, Literal

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

# Word-like, and not the words of a markdown link: numbers, footnotes and links in brackets are text.
_TAG: Final = re.compile(r"\[([A-Za-z][A-Za-z' -]{0,30})\](?!\()")


class UnknownTagError(ValueError):
    """A word in brackets that no engine performs, where the caller asked that it be refused."""

    def __init__(self, tag: str) -> None:
        super().__init__(
            f"[{tag}] is not a tag; known are {', '.join(f'[{known}]' for known in KNOWN_TAGS)}."
        )
        self.tag = tag


def without_tags(
    text: str, *, unknown: Literal["error", "drop", "speak"] = "speak", keep_known: bool = False
) -> str:
    """`text` with its tags overwritten by spaces: same length, same offsets.

    `unknown` says what becomes of other words in brackets: `speak` overwrites their brackets alone. An
    engine that performs tags gets the known ones with `keep_known`. Raises UnknownTagError for `error`.
    """

    def replaced(match: re.Match[str]) -> str:
        tag = match[1]
        if tag.lower() in KNOWN_TAGS:
            return match[0] if keep_known else " " * len(match[0])
        if unknown == "error":
            raise UnknownTagError(tag)
        return f" {tag} " if unknown == "speak" else " " * len(match[0])

    return _TAG.sub(replaced, text)
