"""Speech faster or slower with its pitch kept, by FFmpeg's atempo (waveform-similarity overlap-add)."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu_worker.audio.filtering import FilterChain
from gpu_worker.audio.pcm import EMPTY, Samples

SLOWEST: Final = 0.25
FASTEST: Final = 4.0
# Beyond these atempo leaves samples out, or does not go: then two follow each other.
_STEP: Final = (0.5, 2.0)
# What the filter overlaps; less at the start would change how it begins.
_WINDOW_SECONDS: Final = 0.05
# Pushes the last windows of speech out of the filter; what comes of it is cut off.
_FLUSH_SECONDS: Final = 0.2


class Stretcher:
    """A stream of samples at `speed` times its pace, 0.25 to 4.0; 1.0 passes samples through.

    Of n samples come n / speed, rounded. How the stream is cut into chunks does not change what comes out.
    """

    def __init__(self, sample_rate: int, speed: float) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"speed must be from {SLOWEST} to {FASTEST}, not {speed}")
        self._sample_rate = sample_rate
        self._speed = speed
        self._taken = 0
        self._given = 0
        self._window = round(_WINDOW_SECONDS * sample_rate)
        self._opening: list[Samples] = []
        self._chain: FilterChain | None = None
        if speed != 1:
            self._chain = FilterChain(sample_rate, [("atempo", f"{tempo:.8f}") for tempo in _tempos(speed)])

    def feed(self, samples: Samples) -> Samples:
        """What can be given out now; the filter holds back up to 0.2 s of what it was fed."""
        if self._chain is None:
            return samples
        self._taken += len(samples)
        if self._taken < self._window:
            self._opening.append(samples.copy())
            return EMPTY
        if self._opening:
            samples = np.concatenate([*self._opening, samples])
            self._opening = []
        out = self._chain.feed(samples)
        self._given += len(out)
        return out

    def finish(self) -> Samples:
        """The rest; nothing can be fed after it."""
        if self._chain is None or not self._taken:
            return EMPTY
        flush = np.zeros(round(_FLUSH_SECONDS * self._sample_rate), np.float32)
        due = max(0, round(self._taken / self._speed) - self._given)
        last = np.concatenate([*self._opening, flush])
        rest = np.concatenate([self._chain.feed(last), self._chain.finish()])[:due]
        return np.pad(rest, (0, due - len(rest)))


def stretch(samples: Samples, sample_rate: int, speed: float) -> Samples:
    """All of it at once."""
    stretcher = Stretcher(sample_rate, speed)
    return np.concatenate([stretcher.feed(samples), stretcher.finish()])


def _tempos(speed: float) -> list[float]:
    slowest, fastest = _STEP
    tempos = []
    while speed > fastest:
        tempos.append(fastest)
        speed /= fastest
    while speed < slowest:
        tempos.append(slowest)
        speed /= slowest
    return [*tempos, speed]
