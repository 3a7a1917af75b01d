"""How long each character of a text takes, guessed: what divides the time between two known moments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gpu_worker.text import Spoken, expected_seconds, speakable
from gpu_worker.text.tags import Pause, find_tags

_RUN: Final = re.compile(r"\s+|\S+")
_SPACE_SECONDS: Final = expected_seconds(" ")
_LETTER_SECONDS: Final = expected_seconds("a")


@dataclass(frozen=True, slots=True)
class Pacing:
    """What is said of a text, and how long its characters take in relation to each other.

    `weights` and `silences` have one entry for each character of the caller's text: seconds of speech at the
    voice's own pace, and seconds of silence that the caller asked for. `said_weights` are of `spoken.text`.
    """

    spoken: Spoken
    weights: Sequence[float]
    silences: Sequence[float]
    said_weights: Sequence[float]


def pacing_of(
    text: str, *, normalize: Literal["auto", "on", "off"], language: str, performs_tags: bool
) -> Pacing:
    """Takes milliseconds for a sentence: for long texts not on the event loop."""
    spoken = speakable(
        text, normalize=normalize, language=language, unknown_tags="drop", performs_tags=performs_tags
    )
    said_weights = _said_weights(spoken.text)
    weights = [0.0] * len(text)
    for stretch in spoken.stretches:
        said = said_weights[stretch.spoken_from : stretch.spoken_to]
        written = stretch.source_to - stretch.source_from
        # What is written out takes its time evenly: `$5` as long as "five dollars".
        weights[stretch.source_from : stretch.source_to] = (
            said if stretch.verbatim else [sum(said) / written] * written
        )
    pauses = find_tags(text, unknown="drop", performs=performs_tags).pauses
    return Pacing(spoken, weights, _silences(text, pauses), said_weights)


def _said_weights(said: str) -> list[float]:
    """Every word takes a little beside its letters; that little is shared by its letters, not its space."""
    weights: list[float] = []
    for run in _RUN.findall(said):
        if run[0].isspace():
            weights += [_LETTER_SECONDS] * len(run)
        else:
            seconds = expected_seconds(run) + _SPACE_SECONDS - _LETTER_SECONDS
            weights += [seconds / len(run)] * len(run)
    return weights


def _silences(text: str, pauses: Sequence[Pause]) -> list[float]:
    silences = [0.0] * len(text)
    for pause in pauses:
        stop = text.index("]", pause.start) + 1
        seconds = pause.duration_ms / 1000
        silences[pause.start : stop] = [seconds / (stop - pause.start)] * (stop - pause.start)
    return silences
