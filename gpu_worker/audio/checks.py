"""Whether a piece sounds as its text should, by cheap signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gpu_worker.audio.pcm import Samples

Reason = Literal["too_long", "too_short", "silent", "clipped", "not_finite"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is None where nothing is wrong."""

    reason: Reason | None

    @property
    def ok(self) -> bool:
        """Whether the piece may go out."""
        return self.reason is None


class PieceCheck:
    """The same chunk by chunk: `feed` tells as soon as it is sure that the piece is bad."""

    def __init__(self, *, sample_rate: int, text: str, speed: float) -> None:
        self._sample_rate = sample_rate
        self._text = text
        self._speed = speed
        self._verdict = Verdict(None)

    def feed(self, chunk: Samples) -> Verdict:
        """What is known so far; a reason stays once found."""
        if not np.isfinite(chunk).all():
            self._verdict = Verdict("not_finite")
        return self._verdict

    def finish(self) -> Verdict:
        """The verdict on the whole piece."""
        return self._verdict


def check(samples: Samples, *, sample_rate: int, text: str, speed: float) -> Verdict:
    """The verdict on a whole piece."""
    piece = PieceCheck(sample_rate=sample_rate, text=text, speed=speed)
    piece.feed(samples)
    return piece.finish()
