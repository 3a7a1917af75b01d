"""Pieces as loud as the first one."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu_worker.audio.pcm import Samples

_FRAME_SECONDS: Final = 0.02
# Frames that count as speech: -45 dBFS and more.
_SPEECH_POWER: Final = 10 ** (-45 / 10)
# Until this much of a piece is heard it is taken to be half as loud as the first one already.
_PRIOR_SECONDS: Final = 0.5
_MAX_GAIN: Final = 10 ** (3 / 20)
_RAMP_SECONDS: Final = 0.1
_CEILING: Final = 0.97
_KNEE: Final = 0.9


class Leveler:
    """Brings each piece towards the loudness of the first by at most 3 dB; the first is left as it is."""

    def __init__(self, sample_rate: int) -> None:
        self._frame = round(_FRAME_SECONDS * sample_rate)
        self._prior_frames = _PRIOR_SECONDS / _FRAME_SECONDS
        self._ramp = round(_RAMP_SECONDS * sample_rate)
        self._target: float | None = None
        self._energy = 0.0
        self._frames = 0
        self._gain: float | None = None

    def feed(self, samples: Samples) -> Samples:
        """The samples with the gain that what is known of their piece calls for."""
        self._listen(samples)
        if self._target is None:
            return samples
        before, self._gain = self._gain, self._wanted(self._target, samples)
        if before is None or before == self._gain:
            return samples if self._gain == 1 else _limited(samples * np.float32(self._gain))
        gains = np.full(len(samples), self._gain, np.float32)
        ramp = min(self._ramp, len(samples))
        gains[:ramp] = np.linspace(before, self._gain, ramp, dtype=np.float32)
        return _limited(samples * gains)

    def end_piece(self) -> None:
        """The next samples are of another piece."""
        if self._target is None and self._frames:
            self._target = self._energy / self._frames
        self._energy, self._frames, self._gain = 0.0, 0, None

    def _listen(self, samples: Samples) -> None:
        count = len(samples) // self._frame
        frames = samples[: count * self._frame].reshape(count, self._frame)
        powers = np.einsum("ij,ij->i", frames, frames) / self._frame
        loud = powers[powers > _SPEECH_POWER]
        self._energy += float(loud.sum())
        self._frames += len(loud)

    def _wanted(self, target: float, samples: Samples) -> float:
        heard = (self._energy + target * self._prior_frames) / (self._frames + self._prior_frames)
        gain: float = min(max((target / heard) ** 0.5, 1 / _MAX_GAIN), _MAX_GAIN)
        peak = float(np.max(np.abs(samples), initial=0.0))
        return gain if gain <= 1 or not peak else min(gain, max(1.0, _CEILING / peak))


def _limited(samples: Samples) -> Samples:
    """Peaks near full scale are bent instead of cut."""
    size = np.abs(samples)
    if float(size.max(initial=0.0)) <= _CEILING:
        return samples
    room = 1.0 - _KNEE
    bent = np.copysign(_KNEE + room * np.tanh((size - _KNEE) / room), samples)
    return np.where(size > _KNEE, bent, samples).astype(np.float32)
