"""Where a piece is silent: what is before, within and after its sounds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from gpu_worker.audio.pcm import EMPTY, Samples

_FRAME_SECONDS: Final = 0.005
# -60 dBFS, and 42 dB below the loudest so far: under the end of any word, above the noise in pauses.
_SILENT_POWER: Final = 1e-6
_SILENT_SHARE: Final = 10 ** (-42 / 10)
# What is at most 20 dB below the loudest is amid sound.
_FULL_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """Samples of one kind; `start` is the number of the first one within its piece."""

    start: int
    samples: Samples
    silent: bool


class SilenceFinder:
    """Cuts a piece, as it comes, into sounds and the silences between them, to 5 ms."""

    def __init__(self, sample_rate: int) -> None:
        self._frame = round(_FRAME_SECONDS * sample_rate)
        self._held = EMPTY
        self._held_original = EMPTY
        self._position = 0
        self._loudest = 0.0

    def feed(self, samples: Samples, original: Samples) -> list[Run]:
        """Runs of `samples` in order; neighbours may be of one kind. Less than 5 ms are held back.

        What is silent is judged by `original`, the same samples before any gain.
        """
        data = np.concatenate([self._held, samples])
        judged = np.concatenate([self._held_original, original])
        count = len(data) // self._frame
        self._held, self._held_original = data[count * self._frame :], judged[count * self._frame :]
        if not count:
            return []
        frames = judged[: count * self._frame].reshape(count, self._frame)
        powers = np.einsum("ij,ij->i", frames, frames) / self._frame
        self._loudest = max(self._loudest, float(powers.max()))
        silent = powers < max(_SILENT_POWER, _SILENT_SHARE * self._loudest)
        changes = np.flatnonzero(silent[1:] != silent[:-1]) + 1
        edges = [0, *changes.tolist(), count]
        runs = [
            Run(
                self._position + start * self._frame,
                data[start * self._frame : stop * self._frame],
                bool(silent[start]),
            )
            for start, stop in pairwise(edges)
        ]
        self._position += count * self._frame
        return runs

    def is_full_sound(self, samples: Samples) -> bool:
        """Whether samples are about as loud as the piece has been."""
        return len(samples) > 0 and float(np.mean(np.square(samples))) > _FULL_SHARE * self._loudest

    def finish(self) -> list[Run]:
        """What was held back."""
        if not len(self._held):
            return []
        power = float(np.mean(np.square(self._held_original)))
        silent = power < max(_SILENT_POWER, _SILENT_SHARE * self._loudest)
        return [Run(self._position, self._held, silent)]
