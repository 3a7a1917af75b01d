"""What the models take from a voice: worked out once a recording, then shared and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import librosa
import torch
from chatterbox.models.s3gen import S3GEN_SR
from chatterbox.models.s3tokenizer import S3_SR
from chatterbox.models.t3.modules.cond_enc import T3Cond
from torch import Tensor

from gpu_worker.references.reference import Reference

# A turbo voice's loudness, as its model was trained with.
_TURBO_LUFS: Final = -27.0
# What the flow matching listens to of a recording.
FLOW_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Voice:
    """`prompt` is speech tokens for T3; the rest is for S3Gen: tokens, their mel frames (2 each), x-vector.

    Shapes: (1, 256), (1, tokens) or None, (1, tokens), (1, 2 × tokens, 80), (1, 192).
    """

    speaker: Tensor
    prompt: Tensor | None
    flow_tokens: Tensor
    flow_mel: Tensor
    x_vector: Tensor

    def conditions(self, exaggeration: float) -> Any:
        """For T3, one request's own: it fills them in."""
        return T3Cond(
            speaker_emb=self.speaker,
            cond_prompt_speech_tokens=self.prompt,
            emotion_adv=exaggeration * torch.ones(1, 1, 1, device=self.speaker.device),
        )

    @classmethod
    def of_upstream(cls, conditionals: Any) -> Voice:
        """That of a checkpoint's conds.pt."""
        t3, flow = conditionals.t3, conditionals.gen
        return cls(
            t3.speaker_emb,
            t3.cond_prompt_speech_tokens,
            flow["prompt_token"],
            flow["prompt_feat"],
            flow["embedding"],
        )


@torch.inference_mode()
def voice_of(model: Any, reference: Reference, *, flow_seconds: float = FLOW_SECONDS) -> Voice:
    """Of a recording at 24 kHz, as upstream's `prepare_conditionals`; but nothing of the model changes."""
    samples = reference.samples
    if model.t3.is_gpt:
        samples = model.norm_loudness(samples, reference.sample_rate, _TURBO_LUFS).astype("float32")
    at_16k = librosa.resample(samples, orig_sr=reference.sample_rate, target_sr=S3_SR)
    flow = model.s3gen.embed_ref(samples[: round(flow_seconds * S3GEN_SR)].copy(), S3GEN_SR)
    prompt = None
    if most := model.t3.hp.speech_cond_prompt_len:
        tokens, _ = model.s3gen.tokenizer.forward([at_16k[: model.ENC_COND_LEN]], max_len=most)
        prompt = torch.atleast_2d(tokens).to(model.device)
    speaker = torch.from_numpy(model.ve.embeds_from_wavs([at_16k], sample_rate=S3_SR))
    speaker = speaker.mean(axis=0, keepdim=True).to(model.device)
    return Voice(speaker, prompt, flow["prompt_token"], flow["prompt_feat"], flow["embedding"])
