"""Text as the models read it."""

from __future__ import annotations

import re
from typing import Any, Final

from gpu_worker.engines.chatterbox.kinds import TURBO, Kind

# As upstream's `punc_norm` has it, in its order; but that a colon between digits stays, and that what is
# empty stays empty.
_PUNCTUATION: Final = (
    ("…", ", "),
    (" - ", ", "),
    (";", ", "),
    ("—", "-"),
    ("–", "-"),
    (" ,", ","),
    ("“", '"'),
    ("”", '"'),
    ("‘", "'"),
    ("’", "'"),
)
_NOT_TURBO: Final = frozenset({" - ", ";"})
_COLON: Final = re.compile(r"(?<!\d):|:(?!\d)")
_ENDS: Final = (".", "!", "?", "-", ",", "、", "，", "。", "？", "！")


def readable(text: str, kind: Kind) -> str:
    """With a capital first letter, the punctuation that the model knows, and an end."""
    text = " ".join(text.split())
    if not text:
        return ""
    text = text[0].upper() + text[1:] if text[0].islower() else text
    if kind is not TURBO:
        text = text.replace("...", ", ")
    text = _COLON.sub(",", text)
    for written, known in _PUNCTUATION:
        if kind is not TURBO or written not in _NOT_TURBO:
            text = text.replace(written, known)
    text = text.rstrip()
    return text if text.endswith(_ENDS) else f"{text}."


def text_tokens(model: Any, kind: Kind, text: str, language: str) -> list[int]:
    """What T3 reads, with its marks of start and end where it has them."""
    if kind is TURBO:
        ids: list[int] = model.tokenizer(text, truncation=True).input_ids
        return ids
    hp = model.t3.hp
    encode = model.tokenizer.encode
    ids = encode(text, language_id=language) if len(kind.languages) > 1 else encode(text)
    return [hp.start_text_token, *ids, hp.stop_text_token]
