"""Mel frames to samples, 480 a frame: upstream's HiFT, also chunk by chunk, with noise by place."""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import Tensor

from gpu_worker.engines.chatterbox.noise import Noise

SAMPLES_A_FRAME: Final = 480
# What is made twice where two chunks meet, and blended.
OVERLAP_FRAMES: Final = 8
_OVERLAP: Final = OVERLAP_FRAMES * SAMPLES_A_FRAME
_NOISE_BLOCK: Final = 24_000
_PHASES: Final = 3
_SOURCE: Final = 4


class Voicing:
    """One piece on its way through the vocoder. Feed it mel frames in order; the last call says so.

    The end of each chunk is kept back: it is made once more with what follows, and the two are blended. The
    source (harmonics and breath) goes on where it was, so that nothing jumps.
    """

    def __init__(self, vocoder: Any, fade: Tensor, seed: int) -> None:
        """`vocoder` is upstream's HiFTGenerator, `fade` the gain of a piece's first samples."""
        self._vocoder = vocoder
        self._fade = fade
        sine = vocoder.m_source.l_sin_gen
        self._harmonics = int(sine.harmonic_num) + 1
        device = str(fade.device)
        phases = Noise(seed, _PHASES, width=self._harmonics, block=1, device=device)[0:1]
        # Uniform in a circle, whatever distribution they come from.
        self._offsets = 2 * math.pi * torch.special.ndtr(phases[0])[None, :, None]
        self._offsets[:, 0] = 0
        self._noise = Noise(seed, _SOURCE, width=self._harmonics, block=_NOISE_BLOCK, device=device)
        self._made = 0
        self._mel: Tensor | None = None
        self._excitation: Tensor | None = None
        self._tail: Tensor | None = None
        self._cycles = 0.0

    @torch.inference_mode()
    def feed(self, mel: Tensor, *, is_last: bool) -> Tensor:
        """(1, bands, frames) to (samples,): those that are final now."""
        if self._mel is not None:
            mel = torch.cat([self._mel, mel], dim=2)
        excitation = self._excite(mel)
        samples: Tensor = self._vocoder.decode(x=mel, s=excitation)[0]
        is_first = self._tail is None
        if self._tail is not None:
            rise = torch.hann_window(2 * _OVERLAP, device=samples.device)[:_OVERLAP]
            samples[:_OVERLAP] = rise * samples[:_OVERLAP] + (1 - rise) * self._tail
        if is_first:
            faded = min(len(samples), len(self._fade))
            samples[:faded] *= self._fade[:faded]
        if is_last or len(samples) <= _OVERLAP:
            return samples
        self._mel = mel[:, :, -OVERLAP_FRAMES:]
        self._excitation = excitation[:, :, -_OVERLAP:]
        self._tail = samples[-_OVERLAP:].clone()
        return samples[:-_OVERLAP]

    def _excite(self, mel: Tensor) -> Tensor:
        """(1, 1, samples): the source of all these frames, as it was where they were there before."""
        vocoder = self._vocoder
        known = 0 if self._excitation is None else self._excitation.shape[2]
        pitch = vocoder.f0_upsamp(vocoder.f0_predictor(mel)[:, None])[:, :, known:]
        source = vocoder.m_source.l_tanh(vocoder.m_source.l_linear(self._sines(pitch).transpose(1, 2)))
        source = source.transpose(1, 2)
        return source if self._excitation is None else torch.cat([self._excitation, source], dim=2)

    def _sines(self, pitch: Tensor) -> Tensor:
        """(1, harmonics, samples) of (1, 1, samples) in Hz: as upstream's SineGen, its phase going on."""
        sine = self._vocoder.m_source.l_sin_gen
        count = pitch.shape[2]
        cycles = self._cycles + (pitch.double() / sine.sampling_rate).cumsum(-1)
        if count:
            self._cycles = float(cycles[0, 0, -1] % 1.0)
        numbers = torch.arange(1, self._harmonics + 1, device=pitch.device)[None, :, None]
        angle = (2 * math.pi * ((cycles * numbers) % 1.0)).to(pitch.dtype) + self._offsets
        voiced = (pitch > sine.voiced_threshold).to(pitch.dtype)
        loudness = voiced * sine.noise_std + (1 - voiced) * sine.sine_amp / 3
        noise = self._noise[self._made : self._made + count].T[None]
        self._made += count
        self._noise.forget_before(self._made)
        return sine.sine_amp * torch.sin(angle) * voiced + loudness * noise
