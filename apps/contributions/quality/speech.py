"""Where speech is: Silero v6, at 16 kHz, in steps of 32 ms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from apps.contributions.quality import models
from apps.contributions.quality.decoding import Samples

RATE: Final = 16_000
_STEP: Final = 512
_STARTS_AT: Final = 0.5
_ENDS_UNDER: Final = 0.35
# A pause within a word's neighbourhood is speech: 200 ms.
_MIN_PAUSE_STEPS: Final = 7


@dataclass(frozen=True, slots=True)
class Speech:
    """Seconds. Where nothing is spoken, `seconds` is 0, `lead` is the whole clip and `tail` is 0."""

    seconds: float
    lead: float
    tail: float


def find_speech(samples: Samples) -> Speech:
    """In 16 kHz mono."""
    total = len(samples) / RATE
    spans = _spans(_probabilities(samples))
    if not spans:
        return Speech(0.0, total, 0.0)
    end = min(spans[-1][1] * _STEP / RATE, total)
    inside = sum(stop - start for start, stop in spans) * _STEP / RATE
    lead = spans[0][0] * _STEP / RATE
    return Speech(min(inside, end - lead), lead, total - end)


def _probabilities(samples: Samples) -> np.ndarray:
    missing = -len(samples) % _STEP
    return np.asarray(models.silero()(np.pad(samples, (0, missing)))).reshape(-1)


def _spans(probabilities: np.ndarray) -> list[tuple[int, int]]:
    """Steps from and to, by Silero's own rule of two thresholds."""
    spans: list[tuple[int, int]] = []
    start: int | None = None
    quiet_since: int | None = None
    for step, probability in enumerate(probabilities):
        if probability >= _STARTS_AT:
            start, quiet_since = (step if start is None else start), None
        elif start is not None and probability < _ENDS_UNDER:
            quiet_since = step if quiet_since is None else quiet_since
            if step - quiet_since >= _MIN_PAUSE_STEPS:
                spans.append((start, quiet_since))
                start = quiet_since = None
    if start is not None:
        spans.append((start, len(probabilities) if quiet_since is None else quiet_since))
    return spans
