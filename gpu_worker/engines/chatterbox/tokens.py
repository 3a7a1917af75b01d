"""Text to speech tokens, 25 of them a second: a batch that requests join and leave between two tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from chatterbox.models.t3.inference import alignment_stream_analyzer
from numpy.typing import NDArray
from torch import Tensor

from gpu_worker.engines.chatterbox.alignment import Alignment, AttentionProbe, Ending
from gpu_worker.engines.chatterbox.backbones import Backbone, Gpt2Backbone, LlamaBackbone
from gpu_worker.engines.chatterbox.kinds import Sampling
from gpu_worker.engines.chatterbox.sampling import sample, sample_turbo

# What S3Gen knows; those above are marks of T3's own.
SPEECH_TOKENS: Final = 6561
# A logit that is never drawn, and its opposite always: safe in all types of 16 bits.
_NEVER: Final = -(2.0**15)

Sampler = Callable[[Tensor, Tensor, list[Sampling], list[torch.Generator]], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOrder:
    """What one request wants of T3. `embeddings` is (1, positions, width), or (2, …) where it is guided.

    `guidance` is the classifier-free guidance's weight: 0 where it is not guided. `text` is the positions of
    its text.
    """

    embeddings: Tensor
    text: range
    guidance: float
    sampling: Sampling
    seed: int
    max_tokens: int


@dataclass(eq=False, slots=True)
class Row:
    """A request in the batch. `tokens` grows; `is_done` once it has ended or has as many as it may."""

    lanes: list[int]
    guidance: float
    sampling: Sampling
    max_tokens: int
    generator: torch.Generator
    seen: Tensor
    alignment: Alignment | None
    last: int
    ending: Ending = Ending.FREE
    drawn: int = 0
    tokens: list[int] = field(default_factory=list)
    is_done: bool = False


class TokenBatch:
    """The running batch of one model."""

    def __init__(self, t3: T3Steps, capacity: int) -> None:
        self._t3 = t3
        self._cache = t3.backbone.cache(2 * capacity)
        self._rows: list[Row] = []
        self._logits = torch.zeros(2 * capacity, t3.vocabulary, device=t3.device)

    def __len__(self) -> int:
        return len(self._rows)

    def join(self, order: TokenOrder) -> Row:
        """Reads its prompt, at once."""
        t3 = self._t3
        lanes = self._cache.add(len(order.embeddings))
        probe = t3.probe()
        try:
            state = t3.backbone.read(order.embeddings, self._cache, lanes, probe)
            self._logits[lanes] = t3.logits(state)
            row = self._new_row(order, lanes)
            if probe:
                _judge([row], probe.weights()[:1])
        except BaseException:
            for lane in reversed(lanes):
                self._cache.remove(lane)
            raise
        self._rows.append(row)
        return row

    def step(self) -> None:
        """One token more for each; those that end leave."""
        if not self._rows:
            return
        drawn = self._t3.sample(
            self._held_or_ended(self._guided()),
            torch.stack([row.seen for row in self._rows]),
            [row.sampling for row in self._rows],
            [row.generator for row in self._rows],
        )
        for row, token in zip(list(self._rows), drawn.tolist(), strict=True):
            self._take(row, token)
        if self._rows:
            self._go_on()

    @torch.inference_mode()
    def leave(self, row: Row) -> None:
        """Frees its place, wherever it is."""
        if row not in self._rows:
            return
        self._rows.remove(row)
        for lane in sorted(row.lanes, reverse=True):
            moved = self._cache.remove(lane)
            if moved is not None:
                self._logits[lane] = self._logits[moved]
                owner = next(other for other in self._rows if moved in other.lanes)
                owner.lanes[owner.lanes.index(moved)] = lane

    def _new_row(self, order: TokenOrder, lanes: list[int]) -> Row:
        t3 = self._t3
        seen = torch.zeros(t3.vocabulary, dtype=torch.bool, device=t3.device)
        seen[t3.start] = True
        return Row(
            lanes=lanes,
            guidance=order.guidance,
            sampling=order.sampling,
            max_tokens=order.max_tokens,
            generator=torch.Generator(t3.device).manual_seed(order.seed),
            seen=seen,
            alignment=Alignment(order.text) if t3.follows_text else None,
            last=t3.start,
        )

    def _guided(self) -> Tensor:
        """(rows, tokens): what the text says, away from what would be said without."""
        told = self._logits[[row.lanes[0] for row in self._rows]]
        untold = self._logits[[row.lanes[-1] for row in self._rows]]
        guidance = torch.tensor([row.guidance for row in self._rows], device=told.device)[:, None]
        return told + guidance * (told - untold)

    def _held_or_ended(self, logits: Tensor) -> Tensor:
        """Where a row may not end yet its end is not drawn, where it must nothing else is."""
        stop = self._t3.stop
        for place, row in enumerate(self._rows):
            if row.ending is Ending.NOT_YET:
                logits[place, stop] = _NEVER
            elif row.ending is Ending.NOW:
                logits[place] = _NEVER
                logits[place, stop] = -_NEVER
        return logits

    def _take(self, row: Row, token: int) -> None:
        row.drawn += 1
        if self._t3.is_turbo and row.drawn == 1:
            row.seen[self._t3.start] = False  # upstream forgets it after the first sample
        row.seen[token] = True
        if token < SPEECH_TOKENS:
            row.tokens.append(token)
        if token == self._t3.stop or row.drawn >= row.max_tokens:
            row.is_done = True
            self.leave(row)
        else:
            row.last = token

    def _go_on(self) -> None:
        lanes = [lane for row in self._rows for lane in row.lanes]
        tokens = [row.last for row in self._rows for _ in row.lanes]
        places = [row.drawn for row in self._rows for _ in row.lanes]
        embeddings = torch.empty(len(lanes), self._t3.backbone.width, device=self._t3.device)
        embeddings[lanes] = self._t3.embedded(tokens, places)
        probe = self._t3.probe()
        state = self._t3.backbone.step(embeddings, self._cache, probe)
        self._logits[: len(lanes)] = self._t3.logits(state)
        if probe:
            weights = probe.weights()
            _judge(self._rows, weights[[row.lanes[0] for row in self._rows]])


def _judge(rows: list[Row], weights: NDArray[Any]) -> None:
    """Whether each may end now, by its (queries, positions)."""
    for row, seen in zip(rows, weights, strict=True):
        if row.alignment:
            row.ending = row.alignment.judge(seen, row.last)


class T3Steps:
    """Upstream's T3 with a step of our own: embeddings in, logits out. Takes its transformer apart."""

    def __init__(self, t3: Any, *, dtype: torch.dtype) -> None:
        self._t3 = t3
        self.is_turbo = bool(t3.is_gpt)
        self.device = str(t3.speech_head.weight.device)
        self.start = int(t3.hp.start_speech_token)
        self.stop = int(t3.hp.stop_speech_token)
        # Upstream says it twice, both times as the first; but not to the turbo model.
        self.starts = 1 if self.is_turbo else 2
        self.vocabulary = int(t3.speech_head.weight.shape[0])
        self.sample: Sampler = sample_turbo if self.is_turbo else sample
        backbone = Gpt2Backbone if self.is_turbo else LlamaBackbone
        self.backbone: Backbone = backbone(t3.tfmr, dtype=dtype)
        heads = alignment_stream_analyzer.LLAMA_ALIGNED_HEADS if t3.hp.is_multilingual else []
        self._aligned = tuple(heads)
        self._head = t3.speech_head.weight.to(dtype)
        bias = t3.speech_head.bias
        self._head_bias = None if bias is None else bias.to(dtype)

    @property
    def follows_text(self) -> bool:
        """Whether heads of this model are known to show where in its text it is."""
        return bool(self._aligned)

    def probe(self) -> AttentionProbe | None:
        """Of those heads, for one pass of the backbone."""
        return AttentionProbe(self._aligned) if self._aligned else None

    def logits(self, state: Tensor) -> Tensor:
        """(rows, width) to (rows, tokens), float32."""
        return F.linear(state, self._head, self._head_bias).float()

    def embedded(self, tokens: Sequence[int], places: Sequence[int]) -> Tensor:
        """(rows, width) of speech tokens, each at its place among the spoken."""
        embeddings: Tensor = self._t3.speech_emb(torch.tensor(tokens, device=self.device))
        if self._t3.speech_pos_emb is not None:
            embeddings = embeddings + self._t3.speech_pos_emb.emb(torch.tensor(places, device=self.device))
        return embeddings

    def prompt(self, conditions: Any, text_tokens: Sequence[int], *, is_guided: bool) -> Tensor:
        """(rows, positions, width): voice, text and start; with guidance a second row without the text.

        `conditions` is an upstream `T3Cond` that nobody else uses: it is filled in.
        """
        t3 = self._t3
        rows = 2 if is_guided else 1
        text = torch.tensor([list(text_tokens)] * rows, device=self.device)
        start = torch.full((rows, 1), self.start, device=self.device)
        embeddings: Tensor
        embeddings, _ = t3.prepare_input_embeds(
            t3_cond=conditions, text_tokens=text, speech_tokens=start, cfg_weight=1.0 if is_guided else 0.0
        )
        if self.is_turbo:
            return embeddings
        return torch.cat([embeddings, self.embedded([self.start] * rows, [0] * rows)[:, None]], dim=1)
