"""The next token of each row of a batch, by its own parameters and its own random numbers."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from gpu_worker.engines.chatterbox.kinds import Sampling

_COLDEST: Final = 1e-4


def sample(logits: Tensor, seen: Tensor, rows: list[Sampling], generators: list[torch.Generator]) -> Tensor:
    """(rows,) tokens of (rows, tokens) logits; `seen` is which ones each row has had.

    The order of upstream's classic model: penalty, temperature, min-p, top-p.
    """
    logits = _penalized(logits, seen, rows) / _column(logits, [max(r.temperature, _COLDEST) for r in rows])
    if any(row.min_p > 0 for row in rows):
        shares = torch.softmax(logits, -1)
        least = shares.amax(-1, keepdim=True) * _column(logits, [row.min_p for row in rows])
        logits = logits.masked_fill(shares < least, -torch.inf)
    return _drawn(_within_top_p(logits, rows), generators)


def sample_turbo(
    logits: Tensor, seen: Tensor, rows: list[Sampling], generators: list[torch.Generator]
) -> Tensor:
    """As `sample`, in the order of upstream's turbo model: temperature, top-k, top-p, penalty."""
    logits = logits / _column(logits, [max(row.temperature, _COLDEST) for row in rows])
    limits = [min(row.top_k, logits.shape[-1]) or logits.shape[-1] for row in rows]
    ranked = torch.topk(logits, max(limits)).values
    last = ranked.gather(-1, torch.tensor(limits, device=logits.device)[:, None] - 1)
    logits = logits.masked_fill(logits < last, -torch.inf)
    return _drawn(_penalized(_within_top_p(logits, rows), seen, rows), generators)


def _penalized(logits: Tensor, seen: Tensor, rows: list[Sampling]) -> Tensor:
    penalty = _column(logits, [row.repetition_penalty for row in rows])
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def _within_top_p(logits: Tensor, rows: list[Sampling]) -> Tensor:
    """Without the least likely tokens, together 1 - top-p; the likeliest stays in any case."""
    if all(row.top_p >= 1 for row in rows):
        return logits
    ranked, order = torch.sort(logits, descending=False)
    left_out = torch.softmax(ranked, -1).cumsum(-1) <= 1 - _column(logits, [row.top_p for row in rows])
    left_out[:, -1] = False
    return logits.masked_fill(torch.zeros_like(left_out).scatter(-1, order, left_out), -torch.inf)


def _drawn(logits: Tensor, generators: list[torch.Generator]) -> Tensor:
    shares = torch.softmax(logits, -1)
    drawn = [
        torch.multinomial(row, 1, generator=generator)
        for row, generator in zip(shares, generators, strict=True)
    ]
    return torch.cat(drawn)


def _column(like: Tensor, values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]
