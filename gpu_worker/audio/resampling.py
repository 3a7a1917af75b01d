"""From one sample rate to another with libswresample, chunk by chunk without a seam."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu_worker.audio.filtering import FilterChain
from gpu_worker.audio.pcm import EMPTY, Samples

# A longer filter than the default: aliases lie 100 dB down, and 0.9 of the band is kept within 0.4 dB.
_QUALITY: Final = "filter_size=64:filter_type=kaiser:kaiser_beta=10:cutoff=0.95:exact_rational=1"


class Resampler:
    """A stream at `source_rate` Hz becomes one at `target_rate` Hz, without delay, drift or gain.

    Of n samples come n * target_rate / source_rate, rounded. How the stream is cut into chunks does not
    change what comes out.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self._source_rate = source_rate
        self._target_rate = target_rate
        self._taken = 0
        self._given = 0
        self._chain: FilterChain | None = None
        if source_rate != target_rate:
            self._chain = FilterChain(source_rate, [("aresample", f"{target_rate}:{_QUALITY}")])

    def feed(self, samples: Samples) -> Samples:
        """What is ready; the filter holds back about a millisecond."""
        if self._chain is None:
            return samples
        self._taken += len(samples)
        out = self._chain.feed(samples)
        self._given += len(out)
        return out

    def finish(self) -> Samples:
        """The rest; nothing can be fed after it."""
        if self._chain is None:
            return EMPTY
        due = round(self._taken * self._target_rate / self._source_rate) - self._given
        rest = self._chain.finish()[: max(0, due)]
        return np.pad(rest, (0, max(0, due - len(rest))))
