"""One step of T3's transformer for all rows of a batch, over upstream's weights.

Upstream drives Hugging Face's models a request at a time and grows their cache by copying it at each token.
Here projections that read the same input are one matrix, the cache is memory made beforehand (`KVCache`), and
rows may be of any lengths. The weights move in: upstream's own layers are gone afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from gpu_worker.engines.chatterbox.alignment import AttentionProbe
from gpu_worker.engines.chatterbox.kv_cache import KVCache

_TABLE: Final = 4096


class Backbone(ABC):
    """Layers of a decoder. `width`, `layers`, `heads` and `head_dim` are the model's."""

    def __init__(self, *, width: int, layers: int, heads: int, dtype: torch.dtype, device: str) -> None:
        self.width = width
        self.layers = layers
        self.heads = heads
        self.head_dim = width // heads
        self.dtype = dtype
        self.device = device

    def cache(self, count: int) -> KVCache:
        """Memory for so many rows."""
        return KVCache(
            layers=self.layers,
            lanes=count,
            heads=self.heads,
            head_dim=self.head_dim,
            dtype=self.dtype,
            device=self.device,
        )

    def read(
        self, embeddings: Tensor, cache: KVCache, added: list[int], probe: AttentionProbe | None = None
    ) -> Tensor:
        """Fills lanes just added with (rows, positions, width), rows alike in length.

        Returns the state at the last position, (rows, width). A `probe` sees the two last queries.
        """
        rows, positions, _ = embeddings.shape
        cache.make_room(positions + 1)
        at = torch.arange(positions, device=embeddings.device)
        state = self._enter(embeddings.to(self.dtype), at[None])
        where = slice(added[0], added[0] + rows)
        seen_by_last = (at <= at[-2:, None])[None, None]

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            cache.write(layer, where, key, value)
            if probe:
                probe(layer, query[:, :, -2:], key, seen_by_last)
            return F.scaled_dot_product_attention(query, key, value, is_causal=True)

        for layer in range(self.layers):
            state = self._layer(layer, state, at[None], attend)
        cache.filled(added, positions)
        return self._leave(state[:, -1])

    def step(self, embeddings: Tensor, cache: KVCache, probe: AttentionProbe | None = None) -> Tensor:
        """One more position of all lanes in use: (lanes, width) in and out. A `probe` sees its queries."""
        cache.make_room(cache.reach + 1)
        at = cache.lengths[: cache.count, None]
        mask = cache.mask()
        state = self._enter(embeddings.to(self.dtype)[:, None], at)

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            keys, values = cache.append(layer, key[:, :, 0], value[:, :, 0])
            if probe:
                probe(layer, query, keys, mask)
            return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)

        for layer in range(self.layers):
            state = self._layer(layer, state, at, attend)
        cache.advance()
        return self._leave(state[:, 0])

    @abstractmethod
    def _enter(self, state: Tensor, at: Tensor) -> Tensor:
        """Before the first layer; `at` is the positions, (rows or 1, positions)."""

    @abstractmethod
    def _layer(self, layer: int, state: Tensor, at: Tensor, attend: Any) -> Tensor:
        """(rows, positions, width) to the same."""

    @abstractmethod
    def _leave(self, state: Tensor) -> Tensor:
        """After the last layer, (rows, width)."""

    def _split(self, joined: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each (rows, heads, positions, head_dim)."""
        rows, positions, _ = joined.shape
        query, key, value = joined.view(rows, positions, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        return query, key, value

    def _join(self, heads: Tensor) -> Tensor:
        rows, _, positions, _ = heads.shape
        return heads.transpose(1, 2).reshape(rows, positions, self.width)


class LlamaBackbone(Backbone):
    """That of the classic and the multilingual model."""

    def __init__(self, model: Any, *, dtype: torch.dtype) -> None:
        """Takes the layers out of a `LlamaModel`."""
        config = model.config
        if (
            config.num_key_value_heads != config.num_attention_heads
            or config.attention_bias
            or config.mlp_bias
        ):
            raise ValueError("this is not the Llama that Chatterbox has")
        super().__init__(
            width=config.hidden_size,
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            dtype=dtype,
            device=str(model.norm.weight.device),
        )
        self._epsilon = float(config.rms_norm_eps)
        positions = torch.arange(_TABLE, device=self.device)[None]
        cos, sin = model.rotary_emb(torch.zeros(1, device=self.device), positions)
        self._cos, self._sin = cos[0].to(dtype), sin[0].to(dtype)
        self._norm = model.norm.weight.to(dtype)
        self._weights = [_llama_weights(layer, dtype) for layer in model.layers]
        model.layers = torch.nn.ModuleList()

    def _enter(self, state: Tensor, at: Tensor) -> Tensor:
        return state

    def _layer(self, layer: int, state: Tensor, at: Tensor, attend: Any) -> Tensor:
        weights = self._weights[layer]
        query, key, value = self._split(F.linear(self._normed(state, weights["before"]), weights["qkv"]))
        cos, sin = self._cos[at][:, None], self._sin[at][:, None]
        heads = attend(layer, _rotated(query, cos, sin), _rotated(key, cos, sin), value)
        state = state + F.linear(self._join(heads), weights["out"])
        gate, up = F.linear(self._normed(state, weights["between"]), weights["gate_up"]).chunk(2, -1)
        return state + F.linear(F.silu(gate) * up, weights["down"])

    def _leave(self, state: Tensor) -> Tensor:
        return self._normed(state, self._norm)

    def _normed(self, state: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(state, (self.width,), weight, self._epsilon)


class Gpt2Backbone(Backbone):
    """That of the turbo model."""

    def __init__(self, model: Any, *, dtype: torch.dtype) -> None:
        """Takes the layers out of a `GPT2Model`."""
        config = model.config
        super().__init__(
            width=config.n_embd,
            layers=config.n_layer,
            heads=config.n_head,
            dtype=dtype,
            device=str(model.ln_f.weight.device),
        )
        self._epsilon = float(config.layer_norm_epsilon)
        self._places = model.wpe.weight.to(dtype)
        self._norm = (model.ln_f.weight.to(dtype), model.ln_f.bias.to(dtype))
        self._weights = [_gpt2_weights(layer, dtype) for layer in model.h]
        model.h = torch.nn.ModuleList()

    def _enter(self, state: Tensor, at: Tensor) -> Tensor:
        return state + self._places[at]

    def _layer(self, layer: int, state: Tensor, at: Tensor, attend: Any) -> Tensor:
        weights = self._weights[layer]
        joined = F.linear(self._normed(state, weights["before"]), *weights["qkv"])
        state = state + F.linear(self._join(attend(layer, *self._split(joined))), *weights["out"])
        up = F.linear(self._normed(state, weights["between"]), *weights["up"])
        return state + F.linear(F.gelu(up, approximate="tanh"), *weights["down"])

    def _leave(self, state: Tensor) -> Tensor:
        return self._normed(state, self._norm)

    def _normed(self, state: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return F.layer_norm(state, (self.width,), *norm, self._epsilon)


def _llama_weights(layer: Any, dtype: torch.dtype) -> dict[str, Tensor]:
    attention, mlp = layer.self_attn, layer.mlp
    projections = (attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight)
    return {
        "qkv": torch.cat(projections).to(dtype),
        "out": attention.o_proj.weight.to(dtype),
        "gate_up": torch.cat((mlp.gate_proj.weight, mlp.up_proj.weight)).to(dtype),
        "down": mlp.down_proj.weight.to(dtype),
        "before": layer.input_layernorm.weight.to(dtype),
        "between": layer.post_attention_layernorm.weight.to(dtype),
    }


def _gpt2_weights(layer: Any, dtype: torch.dtype) -> dict[str, tuple[Tensor, Tensor]]:
    """Its `Conv1D` keeps weights the other way round."""

    def linear(module: Any) -> tuple[Tensor, Tensor]:
        return module.weight.t().contiguous().to(dtype), module.bias.to(dtype)

    def norm(module: Any) -> tuple[Tensor, Tensor]:
        return module.weight.to(dtype), module.bias.to(dtype)

    return {
        "qkv": linear(layer.attn.c_attn),
        "out": linear(layer.attn.c_proj),
        "up": linear(layer.mlp.c_fc),
        "down": linear(layer.mlp.c_proj),
        "before": norm(layer.ln_1),
        "between": norm(layer.ln_2),
    }


def _rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = heads.chunk(2, -1)
    return heads * cos + torch.cat((-second, first), -1) * sin
