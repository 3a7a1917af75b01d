"""Whether a decoded recording is fit to be a reference. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu_worker.audio import Samples

MIN_SECONDS: Final = 3.0
MAX_SECONDS: Final = 30.0
# Lossy formats pad a recording by some frames.
PADDING_SECONDS: Final = 0.25

_MIN_LEVEL: Final = 10 ** (-50 / 20)
_FULL_SCALE: Final = 0.9985
# A sine that just reaches full scale spends 3.5 % of its time this near to it.
_MAX_SHARE_AT_FULL_SCALE: Final = 0.05
_FRAME_SECONDS: Final = 0.05
_MIN_SOUNDING_SECONDS: Final = 1.0


def fault_of(samples: Samples, sample_rate: int) -> str | None:
    """Why these mono samples in [-1, 1] are no reference, in a sentence; None where they are one."""
    seconds = len(samples) / sample_rate
    if seconds < MIN_SECONDS:
        return f"The reference is {seconds:.1f} s long; it must be {MIN_SECONDS:g} to {MAX_SECONDS:g} s."
    if seconds > MAX_SECONDS + PADDING_SECONDS:
        return f"The reference is longer than {MAX_SECONDS:g} s; send {MIN_SECONDS:g} to {MAX_SECONDS:g} s."
    if sounding_seconds(samples, sample_rate) < _MIN_SOUNDING_SECONDS:
        return "The reference is silent, or nearly so; send a recording with a voice that can be heard."
    if float(np.mean(np.abs(samples) >= _FULL_SCALE)) > _MAX_SHARE_AT_FULL_SCALE:
        return "The reference is clipped; record it again at a lower level."
    return None


def sounding_seconds(samples: Samples, sample_rate: int) -> float:
    """How much of it is louder than -50 dBFS, in frames of 50 ms; a constant offset is no sound."""
    frame = round(_FRAME_SECONDS * sample_rate)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    return float(np.sum(frames.std(axis=1) > _MIN_LEVEL)) * _FRAME_SECONDS
