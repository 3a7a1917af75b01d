"""Speech for a microphone to hear: made by the CPU engine's voices, as a file that Chromium plays."""

from __future__ import annotations

import wave
from functools import lru_cache
from pathlib import Path

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from numpy.typing import NDArray

from apps.contributions.quality.sound import SAMPLE_RATE as RATE
from apps.contributions.quality.sound import kept
from gpu_worker.engines.hibari_voices import installed_voices

Samples = NDArray[np.float32]


@lru_cache(maxsize=1)
def _voice() -> Hibari:
    return Hibari(voice=next(iter(installed_voices())), threads=1)


@lru_cache(maxsize=64)
def said(text: str) -> Samples:
    """In ±1 at 24 kHz, with a peak that is far from clipping."""
    samples = np.asarray(_voice()(text), dtype=np.float32)
    return samples * np.float32(0.5 / np.abs(samples).max())


def silence(seconds: float) -> Samples:
    """As quiet as a room is: no device gives only zeros."""
    count = round(seconds * SAMPLE_RATE)
    return (np.random.default_rng(7).standard_normal(count) * 1e-4).astype(np.float32)


def with_noise(speech: Samples) -> Samples:
    """Three times as loud as the speech itself."""
    noise = np.random.default_rng(3).standard_normal(len(speech))
    return (speech + noise * 3 * np.sqrt(np.mean(speech**2))).astype(np.float32)


def play_into(path: Path, *pieces: Samples) -> None:
    """What the microphone hears from the moment it is opened, in place of what it heard before."""
    joined = np.clip(np.concatenate(pieces), -1, 1)
    part = path.with_suffix(".part")
    with wave.open(str(part), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((joined * 32767).astype("<i2").tobytes())
    part.replace(path)


def as_flac(samples: Samples) -> bytes:
    """As a clip is kept."""
    count = round(len(samples) * RATE / SAMPLE_RATE)
    resampled = np.interp(np.arange(count) * SAMPLE_RATE / RATE, np.arange(len(samples)), samples)
    return kept(resampled.astype(np.float32)).flac
