"""Pieces become one even stream."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from gpu_worker.audio.pcm import Samples

Ending = Literal["word", "clause", "sentence", "paragraph"]

PAUSE_MS: Final[dict[str, int]] = {"word": 0, "clause": 80, "sentence": 300, "paragraph": 600}


class Joiner:
    """Feed the chunks of a piece, end the piece, go on with the next; each call gives what can be sent."""

    def __init__(self, sample_rate: int, *, speed: float = 1.0) -> None:
        self._sample_rate = sample_rate
        self._speed = speed
        self._out = 0
        self._ended: list[int] = []
        self._pause = 0

    @property
    def samples_out(self) -> int:
        """Samples given out so far."""
        return self._out

    def feed(self, chunk: Samples) -> Samples:
        """A chunk of the piece that is being spoken."""
        pause, self._pause = self._pause, 0
        return self._give(np.concatenate([np.zeros(pause, np.float32), chunk]))

    def end_piece(self, ending: Ending) -> Samples:
        """Ends the piece; `ending` is the natural pause before the next one, if any comes."""
        self._ended.append(self._out)
        self._pause = round(PAUSE_MS[ending] * self._sample_rate / 1000 / self._speed)
        return np.zeros(0, np.float32)

    def silence(self, milliseconds: int) -> Samples:
        """An explicit silence before, between or after pieces; it takes the place of a natural pause."""
        self._pause = 0
        return self._give(np.zeros(round(milliseconds * self._sample_rate / 1000), np.float32))

    def finish(self) -> Samples:
        """What was held back; nothing can be fed after it."""
        return np.zeros(0, np.float32)

    def take_ends(self) -> list[int]:
        """Where pieces end, in samples of the output: those whose audio is all out, each told once."""
        ends, self._ended = self._ended, []
        return ends

    def _give(self, samples: Samples) -> Samples:
        self._out += len(samples)
        return samples
