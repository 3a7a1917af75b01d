"""Speech tokens to mel frames, two of them a token: upstream's flow matching with noise by place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from gpu_worker.engines.chatterbox.conditionals import Voice
from gpu_worker.engines.chatterbox.noise import Noise

MEL_BANDS: Final = 80
FRAMES_A_TOKEN: Final = 2
# The encoder looks so far ahead: the last ones wait for those that follow.
LOOKAHEAD_TOKENS: Final = 3
_STEPS: Final = 10
_MEANFLOW_STEPS: Final = 2
_NOISE_BLOCK: Final = 50
_PROMPT_NOISE: Final = 1
_SPEECH_NOISE: Final = 2


class Interrupted(Exception):
    """Nobody wants it any more."""


class FlowNoise:
    """Where the flow starts from: one strip for the prompt, one for what is spoken."""

    def __init__(self, seed: int, device: str) -> None:
        self._prompt = Noise(seed, _PROMPT_NOISE, width=MEL_BANDS, block=_NOISE_BLOCK, device=device)
        self._speech = Noise(seed, _SPEECH_NOISE, width=MEL_BANDS, block=_NOISE_BLOCK, device=device)

    def of(self, prompt_frames: int, speech: slice) -> Tensor:
        """(1, bands, frames)."""
        return torch.cat([self._prompt[0:prompt_frames], self._speech[speech]]).T[None]


class Flow:
    """Upstream's S3Gen as far as mel frames."""

    def __init__(self, s3gen: Any) -> None:
        self._flow = s3gen.flow
        self._is_meanflow = bool(s3gen.meanflow)
        self._device = str(self._flow.input_embedding.weight.device)
        # Frames that went through the flow, prompts included: what it costs.
        self.frames_worked = 0

    @torch.inference_mode()
    def mel(
        self,
        tokens: list[int],
        voice: Voice,
        noise: FlowNoise,
        *,
        context: int = 0,
        before: int = 0,
        is_last: bool = True,
        prompt_tokens: int | None = None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Tensor:
        """(1, bands, frames) of what follows the first `context` tokens, which are heard but not made again.

        `before` tokens of the piece came before `tokens`; unless it `is_last`, three tokens wait for the next
        call. `prompt_tokens` bounds what is heard of the voice's recording, its end. Raises `Interrupted`.
        """
        flow = self._flow
        prompt, prompt_mel = voice.flow_tokens, voice.flow_mel
        if prompt_tokens is not None and prompt.shape[1] > prompt_tokens:
            prompt = prompt[:, -prompt_tokens:]
            prompt_mel = prompt_mel[:, -FRAMES_A_TOKEN * prompt_tokens :]
        speaker = flow.spk_embed_affine_layer(F.normalize(torch.atleast_2d(voice.x_vector), dim=1))
        heard = torch.cat([prompt, torch.tensor([tokens], device=self._device)], dim=1)
        length = torch.tensor([heard.shape[1]], device=self._device)
        state, _ = flow.encoder(flow.input_embedding(heard), length)
        if not is_last:
            state = state[:, : -LOOKAHEAD_TOKENS * FRAMES_A_TOKEN]
        target = flow.encoder_proj(state).transpose(1, 2).contiguous()
        frames, prompt_frames = target.shape[2], prompt_mel.shape[1]
        known = torch.zeros_like(target)
        known[:, :, :prompt_frames] = prompt_mel.transpose(1, 2)
        first = FRAMES_A_TOKEN * before
        start = noise.of(prompt_frames, slice(first, first + frames - prompt_frames)).to(target.dtype)
        self.frames_worked += frames
        work = self._two_steps if self._is_meanflow else self._ten_steps
        made = work(start, target, speaker, known, is_wanted)
        return made[:, :, prompt_frames + FRAMES_A_TOKEN * context :]

    def _ten_steps(
        self, mel: Tensor, target: Tensor, speaker: Tensor, known: Tensor, is_wanted: Callable[[], bool]
    ) -> Tensor:
        """Guided: each step works on two rows, the second without any condition."""
        decoder = self._flow.decoder
        estimator, guidance = decoder.estimator, float(decoder.inference_cfg_rate)
        times = torch.linspace(0, 1, _STEPS + 1, device=mel.device, dtype=mel.dtype)
        times = 1 - torch.cos(times * 0.5 * torch.pi)
        mask = torch.ones(2, 1, mel.shape[2], device=mel.device, dtype=mel.dtype)
        target, known, speaker = (torch.cat([x, torch.zeros_like(x)]) for x in (target, known, speaker))
        for now, then in pairwise(times):
            _require(is_wanted)
            ways = estimator.forward(
                x=torch.cat([mel, mel]), mask=mask, mu=target, t=now.expand(2), spks=speaker, cond=known
            )
            told, untold = ways[:1], ways[1:]
            mel = mel + (then - now) * ((1 + guidance) * told - guidance * untold)
        return mel

    def _two_steps(
        self, mel: Tensor, target: Tensor, speaker: Tensor, known: Tensor, is_wanted: Callable[[], bool]
    ) -> Tensor:
        """Those of the turbo model, which was made to need no guidance."""
        estimator = self._flow.decoder.estimator
        times = torch.linspace(0, 1, _MEANFLOW_STEPS + 1, device=mel.device, dtype=mel.dtype)
        mask = torch.ones(1, 1, mel.shape[2], device=mel.device, dtype=mel.dtype)
        for now, then in pairwise(times):
            _require(is_wanted)
            way = estimator.forward(
                mel, mask=mask, mu=target, t=now[None], spks=speaker, cond=known, r=then[None]
            )
            mel = mel + (then - now) * way
        return mel


def _require(is_wanted: Callable[[], bool]) -> None:
    if not is_wanted():
        raise Interrupted
