"""Recordings of the engine that comes with pip, in the forms that contributors send."""

from __future__ import annotations

import io
import wave
from functools import cache
from uuid import UUID, uuid4

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from numpy.typing import NDArray

from apps.contributions.intake import take
from apps.contributions.models import Clip, Contributor, Prompt

Samples = NDArray[np.float32]
MARGIN_SECONDS = 0.3


@cache
def _voice(name: str) -> Hibari:
    return Hibari(voice=name, threads=1)


@cache
def spoken(text: str, voice: str = "heart") -> Samples:
    """Mono in ±1, with a quiet room before and after."""
    said = np.asarray(_voice(voice)(text), np.float32).reshape(-1)
    room = np.random.default_rng(1).normal(0, 3e-4, round(MARGIN_SECONDS * SAMPLE_RATE)).astype(np.float32)
    return np.concatenate([room, said, room[::-1]])


def noisy(samples: Samples, decibels: float) -> Samples:
    """With white noise of so much less power than the whole."""
    power = float(np.mean(samples**2)) / 10 ** (decibels / 10)
    noise = np.random.default_rng(2).normal(0, power**0.5, len(samples))
    return (samples + noise).astype(np.float32)


def wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        writer.writeframes((samples.clip(-1, 1) * 32_767).astype("<i2").tobytes())
    return file.getvalue()


def sent(
    contributor: Contributor, prompt: Prompt, samples: Samples, *, upload_id: UUID | None = None
) -> Clip:
    """Taken in as the recording page sends it, and not checked yet."""
    content = wav(samples)
    taken = take(
        contributor=contributor,
        prompt_id=prompt.pk,
        upload_id=upload_id or uuid4(),
        recording=io.BytesIO(content),
        size=len(content),
        told_duration_ms=round(1000 * len(samples) / SAMPLE_RATE),
    )
    return taken.clip
