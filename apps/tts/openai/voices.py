"""OpenAI's voices, and which of ours speaks for each: this table and no other says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from apps.core.errors import NotFound

# By how OpenAI's sound. Only `heart` comes with the CPU engine; the others are there once
# `python -m gpu_worker.install_voices` has fetched them.
VOICES: Final[Mapping[str, str]] = {
    "alloy": "heart",
    "ash": "fenrir",
    "ballad": "fable",
    "cedar": "fenrir",
    "coral": "heart",
    "echo": "fenrir",
    "fable": "fable",
    "marin": "kore",
    "nova": "heart",
    "onyx": "fenrir",
    "sage": "emma",
    "shimmer": "kore",
    "verse": "fable",
}


def not_there(name: str, *, there: Iterable[str]) -> NotFound:
    """That one of OpenAI's names is a voice which this platform lacks, and what it has; `there` are ours."""
    ours = list(dict.fromkeys(there))
    theirs = [openai for openai, voice in VOICES.items() if voice in ours]
    message = f"{name} is spoken by the voice {VOICES[name]} here, which is not there."
    if ours:
        message += f" There are: {', '.join(ours)}."
    if theirs:
        message += f" Of OpenAI's names these can be used: {', '.join(theirs)}."
    return NotFound(message, code="voice_not_found", param="voice")
