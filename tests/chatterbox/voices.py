"""Recordings of voices that nobody has."""

from __future__ import annotations

import hashlib

import numpy as np

from gpu_worker.references.reference import Reference

SAMPLE_RATE = 24_000


def reference(frequency: float, seconds: float = 6.0) -> Reference:
    """A hum with overtones and some breath, rising and falling as speech does."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = frequency * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    hum = sum(np.sin(number * phase) / number for number in range(1, 8))
    breath = np.random.default_rng(round(frequency)).normal(size=len(time)) * 0.02
    loudness = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)
    samples = (0.15 * loudness * hum + breath).astype(np.float32)
    return Reference(hashlib.sha256(samples.tobytes()).hexdigest(), samples, SAMPLE_RATE)
