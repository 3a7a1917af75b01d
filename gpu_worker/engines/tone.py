"""A sine of the length that speech would have, paced at will: for benches and tests alone."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from typing import Final

import numpy as np

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Capabilities, Chunk, Done, Outcome, Utterance, Word
from gpu_worker.references.reference import Reference

SAMPLE_RATE: Final = 24_000
CHARACTERS_PER_SECOND: Final = 15.0
_CHUNK_SAMPLES: Final = SAMPLE_RATE // 10
_FREQUENCY_HZ: Final = 220
_AMPLITUDE: Final = 0.3
_WORD: Final = re.compile(r"\S+")


class ToneEngine:
    """`real_time_factor` is time to make over time to play: 0 as fast as it goes, 1 as a voice speaks.

    A step takes that time for the whole batch, as on a device where a fuller batch costs nothing more.
    A cloned voice has the pitch of its reference: the frequency that is loudest in it.
    """

    def __init__(self, real_time_factor: float = 0.0, batch: int = 1) -> None:
        self._real_time_factor = real_time_factor
        self._capabilities = Capabilities(
            engine="tone",
            models=("tone",),
            voices=("tone",),
            languages=("en",),
            features=frozenset({"clone", "timestamps"}),
            sample_rate=SAMPLE_RATE,
            speeds=(0.25, 4.0),
            max_batch=batch,
        )

    @property
    def capabilities(self) -> Capabilities:
        """See Engine."""
        return self._capabilities

    def can_speak(self, text: str) -> bool:
        """See Engine."""
        return any(character.isalnum() for character in text)

    def open_session(self) -> ToneSession:
        """See Engine."""
        return ToneSession(self._capabilities.max_batch, self._real_time_factor)


@dataclass(slots=True)
class _Voice:
    """One utterance on its way."""

    cycle: Samples
    words: list[Word]
    total: int
    position: int = 0


class ToneSession:
    """See Session; a step makes a tenth of a second of each tone."""

    def __init__(self, capacity: int, real_time_factor: float) -> None:
        self.capacity = capacity
        self._step_seconds = real_time_factor * _CHUNK_SAMPLES / SAMPLE_RATE
        self._slots = count()
        self._voices: dict[int, _Voice] = {}

    def join(self, utterance: Utterance) -> int:
        """See Session."""
        slot = next(self._slots)
        samples_a_character = SAMPLE_RATE / CHARACTERS_PER_SECOND / utterance.speed
        self._voices[slot] = _Voice(
            cycle=_second_of_tone(_frequency(utterance)),
            words=[
                Word(
                    match.start(),
                    match.end(),
                    round(match.start() * samples_a_character),
                    round(match.end() * samples_a_character),
                )
                for match in _WORD.finditer(utterance.text)
            ],
            total=_length(utterance.text, samples_a_character),
        )
        return slot

    def step(self) -> list[tuple[int, Outcome]]:
        """See Session."""
        if self._step_seconds:
            time.sleep(self._step_seconds)
        outcomes: list[tuple[int, Outcome]] = []
        for slot, voice in list(self._voices.items()):
            if voice.position < voice.total:
                outcomes.append((slot, _next_chunk(voice)))
            if voice.position >= voice.total:
                outcomes.append((slot, Done()))
                del self._voices[slot]
        return outcomes

    def leave(self, slot: int) -> None:
        """See Session."""
        self._voices.pop(slot, None)

    def interrupt(self, slot: int) -> None:
        """See Session; steps are short anyhow."""

    def close(self) -> None:
        """See Session."""
        self._voices.clear()


def _length(text: str, samples_a_character: float) -> int:
    if not any(character.isalnum() for character in text):
        return 0
    return max(1, round(len(text) * samples_a_character))


def _frequency(utterance: Utterance) -> int:
    if utterance.reference is None:
        return _FREQUENCY_HZ
    return utterance.reference.derived("tone", partial(_loudest_frequency, utterance.reference))


def _loudest_frequency(reference: Reference) -> int:
    """In whole Hz, at least 1."""
    spectrum = np.abs(np.fft.rfft(reference.samples))
    spectrum[0] = 0
    return max(1, round(int(np.argmax(spectrum)) / reference.seconds))


@lru_cache(maxsize=64)
def _second_of_tone(frequency_hz: int) -> Samples:
    """One second, which is a whole number of waves, so that it can follow itself."""
    phase = np.arange(SAMPLE_RATE) * (2 * np.pi * frequency_hz / SAMPLE_RATE)
    tone: Samples = (_AMPLITUDE * np.sin(phase)).astype(np.float32)
    tone.setflags(write=False)
    return tone


def _next_chunk(voice: _Voice) -> Chunk:
    start = voice.position
    stop = min(start + _CHUNK_SAMPLES, voice.total)
    voice.position = stop
    samples = voice.cycle[np.arange(start, stop) % SAMPLE_RATE]
    words = tuple(word for word in voice.words if start < word.end_sample <= stop)
    return Chunk(samples, words)
