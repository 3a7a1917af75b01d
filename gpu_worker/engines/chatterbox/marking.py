"""Perth's watermark on all audio that leaves: inaudible, and found again by anyone with its detector."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gpu_worker.audio import Samples

# Heard with each chunk but not given out again, so that the mark goes on across the joint.
_CONTEXT_SAMPLES: Final = 12_000
# Its windows are longer than the shortest of sounds.
_SHORTEST_SAMPLES: Final = 12_000


class Marking:
    """One piece on its way out."""

    def __init__(self, watermarker: Any, sample_rate: int) -> None:
        self._watermarker = watermarker
        self._sample_rate = sample_rate
        self._before = np.empty(0, np.float32)

    def mark(self, samples: Samples) -> Samples:
        """As many samples, marked."""
        if not np.isfinite(samples).all():
            return samples  # the check of a take lets none of it out
        if not len(samples):
            return samples
        heard = np.concatenate([self._before, samples])
        padded = np.pad(heard, (0, max(0, _SHORTEST_SAMPLES - len(heard))))
        marked = np.asarray(
            self._watermarker.apply_watermark(padded, sample_rate=self._sample_rate), np.float32
        )
        # It works at 32 kHz and may come back a sample shorter or longer.
        marked = np.pad(marked[: len(heard)], (0, max(0, len(heard) - len(marked))))
        self._before = heard[-_CONTEXT_SAMPLES:]
        return marked[len(heard) - len(samples) :]
