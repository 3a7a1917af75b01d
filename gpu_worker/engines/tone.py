"""A sine of the length that speech would have, paced at will: for benches and tests alone."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Final

import numpy as np

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Capabilities, Utterance

SAMPLE_RATE: Final = 24_000
CHARACTERS_PER_SECOND: Final = 15.0
_CHUNK_SECONDS: Final = 0.1
_FREQUENCY_HZ: Final = 220.0
_AMPLITUDE: Final = 0.3


class ToneEngine:
    """`real_time_factor` is time to make over time to play: 0 as fast as it goes, 1 as a voice speaks."""

    def __init__(self, real_time_factor: float = 0.0) -> None:
        self._real_time_factor = real_time_factor
        self._capabilities = Capabilities(
            engine="tone",
            models=("tone",),
            voices=("tone",),
            languages=("en",),
            features=frozenset(),
            sample_rate=SAMPLE_RATE,
            speeds=(0.25, 4.0),
            max_batch=1,
        )

    @property
    def capabilities(self) -> Capabilities:
        """See Engine."""
        return self._capabilities

    def can_speak(self, text: str) -> bool:
        """See Engine."""
        return any(character.isalnum() for character in text)

    def synthesize(self, utterance: Utterance) -> Generator[Samples, None, None]:
        """See Engine; a chunk is a tenth of a second."""
        if not self.can_speak(utterance.text):
            return
        seconds = len(utterance.text) / CHARACTERS_PER_SECOND / utterance.speed
        total = max(1, round(seconds * SAMPLE_RATE))
        step = round(_CHUNK_SECONDS * SAMPLE_RATE)
        for start in range(0, total, step):
            phase = np.arange(start, min(start + step, total)) * (2 * np.pi * _FREQUENCY_HZ / SAMPLE_RATE)
            if self._real_time_factor:
                time.sleep(self._real_time_factor * len(phase) / SAMPLE_RATE)
            yield (_AMPLITUDE * np.sin(phase)).astype(np.float32)
