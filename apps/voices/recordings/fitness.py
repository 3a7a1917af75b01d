"""What of a recording is kept as the reference of a voice, and whether it is fit to be one. Pure."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MIN_SECONDS: Final = 3.0
MAX_SECONDS: Final = 120.0
# The longest that a worker takes (gpu_worker.references.checking).
KEPT_SECONDS: Final = 30.0
# Between recordings that are joined, and after the last: no click, and no reference a sample too short.
GAP_SECONDS: Final = 0.1
# Lossy formats pad a recording by some frames.
_PADDING_SECONDS: Final = 0.25

# Each bound is narrower than the worker's, which judges the same sound at another sample rate.
_MIN_LEVEL: Final = 10 ** (-48 / 20)
_MIN_SOUNDING_SECONDS: Final = 1.5
_FULL_SCALE: Final = 0.998
_MAX_SHARE_AT_FULL_SCALE: Final = 0.045
_FRAME_SECONDS: Final = 0.05

_Samples = NDArray[np.float32]


class Refused(Exception):
    """The recording is not taken: a code for programs, and a sentence that says why and what to send."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a reference: how long it plays, its rate in Hz, and how long the recordings were that it is from."""

    duration_seconds: float
    sample_rate: int
    recorded_seconds: float


def made_reference(pcm: bytes, rate: int) -> tuple[bytes, Facts]:
    """The reference as a mono WAV file of 16 bits, and what is known of it. Raises Refused.

    `pcm` is mono s16le. Of a recording over 30 s that many are kept, from where it begins to sound.
    """
    samples = np.frombuffer(pcm, "<i2")
    seconds = len(samples) / rate
    if seconds < MIN_SECONDS:
        raise Refused(
            "recording_too_short",
            f"The recording is {seconds:.1f} s long; send {MIN_SECONDS:g} to {MAX_SECONDS:g} s.",
        )
    if seconds > MAX_SECONDS + _PADDING_SECONDS:
        raise Refused(
            "recording_too_long",
            f"The recording is longer than {MAX_SECONDS:g} s; send {MIN_SECONDS:g} to {MAX_SECONDS:g} s.",
        )
    gap = round(GAP_SECONDS * rate)
    kept = _kept(samples, rate, round(KEPT_SECONDS * rate) - gap)
    _judge(kept.astype(np.float32) / np.float32(32768), rate)
    wav = _wav(kept.tobytes() + bytes(2 * gap), rate)
    return wav, Facts(round((len(kept) + gap) / rate, 3), rate, round(seconds, 3))


def _kept(samples: NDArray[np.int16], rate: int, length: int) -> NDArray[np.int16]:
    if len(samples) <= length:
        return samples
    sounding = np.flatnonzero(_is_sounding(samples.astype(np.float32) / np.float32(32768), rate))
    first = int(sounding[0]) * round(_FRAME_SECONDS * rate) if len(sounding) else 0
    start = min(first, len(samples) - length)
    return samples[start : start + length]


def _judge(samples: _Samples, rate: int) -> None:
    if float(np.sum(_is_sounding(samples, rate))) * _FRAME_SECONDS < _MIN_SOUNDING_SECONDS:
        raise Refused(
            "recording_silent",
            "The recording is silent, or nearly so; send one in which the voice can be heard well.",
        )
    if float(np.mean(np.abs(samples) >= _FULL_SCALE)) > _MAX_SHARE_AT_FULL_SCALE:
        raise Refused(
            "recording_clipped", "The recording is clipped through; record it again at a lower level."
        )


def _is_sounding(samples: _Samples, rate: int) -> NDArray[np.bool_]:
    """For each frame of 50 ms whether it is loud enough; a constant offset is no sound."""
    frame = round(_FRAME_SECONDS * rate)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    sounding: NDArray[np.bool_] = frames.std(axis=1) > _MIN_LEVEL
    return sounding


def _wav(pcm: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, rate, 0, "NONE", ""))
        writer.writeframes(pcm)
    return file.getvalue()
