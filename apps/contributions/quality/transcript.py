"""What was said, as Whisper's smallest English model hears it."""

from __future__ import annotations

from typing import Final

from apps.contributions.quality import models
from apps.contributions.quality.decoding import Samples

RATE: Final = 16_000
LANGUAGES: Final = frozenset({"en"})
_MAX_NEW_TOKENS: Final = 200


def can_transcribe(language: str) -> bool:
    """`language` is a BCP 47 tag: en, en-GB, de."""
    return language.lower().replace("_", "-").split("-")[0] in LANGUAGES


def transcribe(samples: Samples) -> str:
    """16 kHz mono to text. Nothing but the audio is told to the model: the prompt would be heard in noise."""
    segments, _ = models.whisper().transcribe(
        samples,
        language="en",
        beam_size=1,
        # One try: the others are hotter and make words up.
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        max_new_tokens=_MAX_NEW_TOKENS,
    )
    return " ".join(segment.text.strip() for segment in segments).strip()
