"""One attempt at a piece: its chunks, held back until they passed the check or let out as they come."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu_worker.audio import PieceCheck, Verdict
from gpu_worker.audio.checks import Reason
from gpu_worker.engines.base import Chunk

# From what is merely not good to what nobody should hear.
_BADNESS: Final[dict[Reason | None, int]] = {
    None: 0,
    "clipped": 1,
    "too_short": 2,
    "too_long": 3,
    "silent": 4,
    "not_finite": 5,
}
# More of these does not make the take any better.
_HOPELESS: Final[frozenset[Reason]] = frozenset({"too_long", "not_finite"})
_AUDIBLE: Final = 0.001


class Take:
    """Chunks in order. One that `holds` lets nothing out before it is finished."""

    def __init__(self, text: str, speed: float, sample_rate: int, *, holds: bool) -> None:
        self._holds = holds
        self._check = PieceCheck(sample_rate=sample_rate, text=text, speed=speed)
        self._verdict = Verdict(None)
        self._kept: list[Chunk] = []
        self._has_samples = False
        self._has_sound = False
        self.has_gone_out = False

    def add(self, chunk: Chunk) -> None:
        """Takes a chunk in."""
        self._verdict = self._check.feed(chunk.samples)
        self._has_samples = self._has_samples or bool(len(chunk.samples))
        self._has_sound = self._has_sound or bool((np.abs(chunk.samples) > _AUDIBLE).any())
        self._kept.append(chunk)

    @property
    def is_bad(self) -> bool:
        """Whether the check is sure already."""
        return not self._verdict.ok

    @property
    def is_hopeless(self) -> bool:
        """Whether nothing that may still come would be worth hearing."""
        return self._verdict.reason in _HOPELESS

    def released(self) -> list[Chunk]:
        """What may go out while the take still runs."""
        if self._holds or self.is_bad:
            return []
        self.has_gone_out = self.has_gone_out or bool(self._kept)
        return self.rest()

    def finish(self) -> Verdict:
        """The verdict on the whole take. A take without any samples had no sounds, which is no fault."""
        if self._has_samples and self._verdict.ok:
            self._verdict = self._check.finish()
        return self._verdict

    def rest(self) -> list[Chunk]:
        """What has not gone out yet."""
        kept, self._kept = self._kept, []
        return kept

    @property
    def badness(self) -> int:
        """0 for a good take; the more, the worse."""
        return _BADNESS[self._verdict.reason]

    @property
    def is_unusable(self) -> bool:
        """Whether nobody should hear it."""
        reason = self._verdict.reason
        return reason == "not_finite" or (reason == "silent" and not self._has_sound)


def better(first: Take, second: Take) -> Take:
    """The take that goes out where both are bad; the second where they are alike."""
    return first if first.badness < second.badness else second
