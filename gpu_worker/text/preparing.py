"""From the caller's text to what an engine speaks: tags, normalisation, pieces."""

from __future__ import annotations

from typing import Literal

from gpu_worker.text.normalization import normalize as normalized
from gpu_worker.text.rewriting import Spoken, assemble
from gpu_worker.text.sentences import primary_tag
from gpu_worker.text.splitting import FIRST_PIECE_CHARACTERS, MAX_PIECE_CHARACTERS, Piece, split
from gpu_worker.text.tags import Tags, UnknownTags, find_tags

Normalize = Literal["auto", "on", "off"]


def has_rules(language: str) -> bool:
    """Whether texts of a language can be normalised: English in all its regions."""
    return primary_tag(language) == "en"


def prepare(
    text: str,
    *,
    normalize: Normalize = "auto",
    language: str = "en",
    unknown_tags: UnknownTags = "speak",
    performs_tags: bool = False,
    max_characters: int = MAX_PIECE_CHARACTERS,
    first_characters: int = FIRST_PIECE_CHARACTERS,
) -> list[Piece]:
    """The pieces that an engine speaks, none where the text has nothing to say.

    `normalize="auto"` leaves other languages than English as they are written; `on` applies the English
    rules to any. An engine with `performs_tags` gets the tags that it knows. Raises UnknownTagError where
    `unknown_tags` is `error`, and nothing else.
    """
    tags = find_tags(text, unknown=unknown_tags, performs=performs_tags)
    return split(
        _spoken(text, tags, normalize, language),
        len(text),
        pauses=tags.pauses,
        language=language,
        max_characters=max_characters,
        first_characters=first_characters,
    )


def speakable(
    text: str,
    *,
    normalize: Normalize = "auto",
    language: str = "en",
    unknown_tags: UnknownTags = "speak",
    performs_tags: bool = False,
) -> Spoken:
    """What `prepare` cuts into pieces, with the map back to the caller's text. Raises UnknownTagError."""
    tags = find_tags(text, unknown=unknown_tags, performs=performs_tags)
    return _spoken(text, tags, normalize, language)


def spoken_map(spoken: Spoken) -> list[list[int]]:
    """The map on the wire: spoken from and to, caller's text from and to, in code points."""
    return [
        [stretch.spoken_from, stretch.spoken_to, stretch.source_from, stretch.source_to]
        for stretch in spoken.stretches
    ]


def _spoken(text: str, tags: Tags, normalize: Normalize, language: str) -> Spoken:
    if normalize == "on" or (normalize == "auto" and has_rules(language)):
        return normalized(text, tags.rewrites)
    return assemble(text, tags.rewrites)
