"""Where in its text the multilingual model is, by where three of its heads look: keeps it from ending early,
and ends it when it lingers or begins again.

Upstream's `AlignmentStreamAnalyzer`, for any row of a batch: without hooks that stay in the model, and with
sums instead of all that was ever looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# How far it may be from where it was, in text tokens; further is a glance.
_BACK: Final = -4
_AHEAD: Final = 7
# The last of a text: punctuation and the mark of its end.
_TAIL: Final = 3
_BEFORE_TAIL: Final = 5
_MOST: Final = 5.0


class Ending(Enum):
    """Whether a row may end with its next token."""

    FREE = "free"
    NOT_YET = "not yet"
    NOW = "now"


class AttentionProbe:
    """Takes down the attention of some heads in one pass of a backbone, each a layer and its number there."""

    def __init__(self, heads: Sequence[tuple[int, int]]) -> None:
        self._heads = heads
        self._layers = {layer for layer, _ in heads}
        self._weights: list[Tensor] = []

    def __call__(self, layer: int, query: Tensor, keys: Tensor, mask: Tensor | None) -> None:
        """Query and keys as attention has them, (lanes, heads, positions, head_dim)."""
        if layer not in self._layers:
            return
        for watched, head in self._heads:
            if watched == layer:
                scores = query[:, head] @ keys[:, head].transpose(-1, -2) / math.sqrt(query.shape[-1])
                if mask is not None:
                    scores = scores.masked_fill(~mask[:, 0], -torch.inf)
                self._weights.append(torch.softmax(scores.float(), -1))

    def weights(self) -> NDArray[Any]:
        """The mean over the heads, (lanes, queries, positions)."""
        weights: NDArray[Any] = torch.stack(self._weights).mean(0).cpu().numpy()
        return weights


class Alignment:
    """Of one row, whose text is at the positions of `text`. `position` is where in it the row is."""

    def __init__(self, text: range) -> None:
        self.position = 0
        self._text = text
        self._frames = 0
        self._is_complete = False
        self._on_tail = np.zeros(_TAIL)
        self._before_tail = 0.0
        self._tokens: tuple[int, ...] = ()

    def judge(self, weights: NDArray[Any], last_token: int) -> Ending:
        """After a pass for `last_token`, by its (queries, positions); the first pass has two queries."""
        seen = weights[:, self._text.start : self._text.stop].copy()
        seen[:, self._frames + 1 :] = 0
        self._frames += 1
        size = len(self._text)
        here = int(seen[-1].argmax())
        if _BACK < here - self.position < _AHEAD:
            self.position = here
        if self._is_complete:
            self._on_tail += seen[:, -_TAIL:].sum(0)
            if size > _BEFORE_TAIL:
                self._before_tail += float(seen[:, :-_BEFORE_TAIL].max(1).sum())
        self._is_complete = self._is_complete or self.position >= size - _TAIL
        self._tokens = (*self._tokens, last_token)[-3:]
        if self._lingers or self._begins_again or self._stutters:
            return Ending.NOW
        return Ending.NOT_YET if here < size - _TAIL and size > _BEFORE_TAIL else Ending.FREE

    @property
    def _lingers(self) -> bool:
        """On the text's last tokens, over 200 ms each."""
        return bool(self._on_tail.max() >= _MOST)

    @property
    def _begins_again(self) -> bool:
        return self._before_tail > _MOST

    @property
    def _stutters(self) -> bool:
        return len(self._tokens) == 3 and self._tokens[-1] == self._tokens[-2]
