"""One attempt at a piece: its chunks, held back until they passed the check or let out as they come."""

from __future__ import annotations

from typing import Final

from gpu_worker.audio import PieceCheck, Verdict
from gpu_worker.engines.base import Chunk

# From what nobody should hear to what is merely not good.
_BADNESS: Final[dict[str | None, int]] = {
    None: 0,
    "clipped": 1,
    "too_short": 2,
    "too_long": 3,
    "silent": 4,
    "not_finite": 5,
}
_UNUSABLE: Final = _BADNESS["silent"]


class Take:
    """Chunks in order. One that `holds` lets nothing out before it is finished."""

    def __init__(self, text: str, speed: float, sample_rate: int, *, holds: bool) -> None:
        self._holds = holds
        self._check = PieceCheck(sample_rate=sample_rate, text=text, speed=speed)
        self._verdict = Verdict(None)
        self._kept: list[Chunk] = []
        self._sample_count = 0
        self.has_gone_out = False

    def add(self, chunk: Chunk) -> bool:
        """Takes a chunk in; False once the check is sure that the take is bad."""
        self._verdict = self._check.feed(chunk.samples)
        self._sample_count += len(chunk.samples)
        self._kept.append(chunk)
        return self._verdict.ok

    def released(self) -> list[Chunk]:
        """What may go out while the take still runs."""
        if self._holds or not self._verdict.ok:
            return []
        self.has_gone_out = self.has_gone_out or bool(self._kept)
        return self.rest()

    def finish(self) -> Verdict:
        """The verdict on the whole take. A take without any samples had no sounds, which is no fault."""
        if self._sample_count and self._verdict.ok:
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
        return self.badness >= _UNUSABLE


def better(first: Take, second: Take) -> Take:
    """The take that goes out where both are bad; the second where they are alike."""
    return first if first.badness < second.badness else second
