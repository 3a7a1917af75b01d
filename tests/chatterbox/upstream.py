"""Upstream's own way with a model, step by step, to compare ours with."""

from __future__ import annotations

from typing import Any

import torch
from chatterbox.models.t3.inference.t3_hf_backend import T3HuggingfaceBackend
from chatterbox.models.t3.modules.cond_enc import T3Cond
from torch import Tensor


class Upstream:
    """A loaded `ChatterboxTTS` or sibling."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def conditions(self, exaggeration: float) -> Any:
        t3 = self.model.conds.t3
        return T3Cond(
            speaker_emb=t3.speaker_emb,
            cond_prompt_speech_tokens=t3.cond_prompt_speech_tokens,
            emotion_adv=exaggeration * torch.ones(1, 1, 1, device=t3.speaker_emb.device),
        )

    @torch.inference_mode()
    def logits(self, text: list[int], spoken: list[int], *, exaggeration: float = 0.5) -> Tensor:
        """(tokens spoken + 1, rows, vocabulary): before each of them and after the last.

        Two rows where upstream guides: with the text, and without.
        """
        if self.model.t3.is_gpt:
            return self._turbo_logits(text, spoken)
        t3 = self.model.t3
        backend = T3HuggingfaceBackend(
            config=t3.cfg, llama=t3.tfmr, speech_enc=t3.speech_emb, speech_head=t3.speech_head
        )
        embeddings, _ = t3.prepare_input_embeds(
            t3_cond=self.conditions(exaggeration),
            text_tokens=torch.tensor([text, text]),
            speech_tokens=torch.full((2, 1), t3.hp.start_speech_token),
            cfg_weight=0.5,
        )
        start = t3.speech_emb(torch.tensor([[t3.hp.start_speech_token]]))
        start = start + t3.speech_pos_emb.get_fixed_embedding(0)
        inputs = torch.cat([embeddings, torch.cat([start, start])], dim=1)
        past, answers = None, []
        for place, token in enumerate([*spoken, 0], start=1):
            out = backend(inputs_embeds=inputs, past_key_values=past, use_cache=True, return_dict=True)
            past = out.past_key_values
            answers.append(out.logits[:, -1])
            said = t3.speech_emb(torch.tensor([[token]])) + t3.speech_pos_emb.get_fixed_embedding(place)
            inputs = torch.cat([said, said])
        return torch.stack(answers)

    def _turbo_logits(self, text: list[int], spoken: list[int]) -> Tensor:
        t3 = self.model.t3
        inputs, _ = t3.prepare_input_embeds(
            t3_cond=self.conditions(0.0),
            text_tokens=torch.tensor([text]),
            speech_tokens=torch.full((1, 1), t3.hp.start_speech_token),
            cfg_weight=0.0,
        )
        past, answers = None, []
        for token in [*spoken, 0]:
            out = t3.tfmr(inputs_embeds=inputs, past_key_values=past, use_cache=True)
            past = out.past_key_values
            answers.append(t3.speech_head(out[0])[:, -1])
            inputs = t3.speech_emb(torch.tensor([[token]]))
        return torch.stack(answers)

    @torch.inference_mode()
    def tokens(self, text: list[int], *, seed: int, most: int, **sampling: float) -> list[int]:
        """Upstream's own loop, its random numbers beginning with this seed."""
        torch.manual_seed(seed)
        t3 = self.model.t3
        if t3.is_gpt:
            drawn = t3.inference_turbo(
                t3_cond=self.conditions(0.0),
                text_tokens=torch.tensor([text]),
                max_gen_len=most - 1,
                **sampling,
            )
        else:
            drawn = t3.inference(
                t3_cond=self.conditions(0.5),
                text_tokens=torch.tensor([text, text]),
                max_new_tokens=most,
                **sampling,
            )
        tokens: list[int] = drawn[0].tolist()
        return tokens
