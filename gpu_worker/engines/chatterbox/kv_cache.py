"""The rows of the running batch: keys and values of what each has heard and said, in memory of its own."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

# Positions are added in blocks: a row of 34 + 100 + 250 positions fits in two.
BLOCK: Final = 256


class KVCache:
    """`layers` pairs of keys and values, each (lanes, heads, positions, head_dim); `count` lanes are in use.

    A lane is one row of the batch: a request has two of them where it is guided, else one. KVCache in use lie
    side by side, so that a step reads one slice: whoever leaves has its place taken by the last ones.
    """

    def __init__(
        self, *, layers: int, lanes: int, heads: int, head_dim: int, dtype: torch.dtype, device: str
    ) -> None:
        self.count = 0
        self.lengths = torch.zeros(lanes, dtype=torch.long, device=device)
        self._longest = [0] * lanes
        shape = (lanes, heads, BLOCK, head_dim)
        self.keys = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(layers)]
        self.values = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(layers)]

    @property
    def capacity(self) -> int:
        """How many there can be."""
        return len(self._longest)

    @property
    def reach(self) -> int:
        """Positions that the longest lane in use has."""
        return max(self._longest[: self.count], default=0)

    @property
    def _are_alike(self) -> bool:
        return len(set(self._longest[: self.count])) == 1

    def add(self, count: int) -> list[int]:
        """Takes so many more lanes into use, empty."""
        added = list(range(self.count, self.count + count))
        if self.count + count > self.capacity:
            raise ValueError(f"{self.capacity} lanes, {self.count} in use, {count} more are wanted")
        self.count += count
        for lane in added:
            self._set_length(lane, 0)
        return added

    def write(self, layer: int, lanes: slice, keys: Tensor, values: Tensor) -> None:
        """The first positions of empty lanes: (lanes, heads, positions, head_dim)."""
        self.keys[layer][lanes, :, : keys.shape[2]] = keys
        self.values[layer][lanes, :, : values.shape[2]] = values

    def filled(self, lanes: list[int], positions: int) -> None:
        """What was written into them on all layers."""
        for lane in lanes:
            self._set_length(lane, positions)

    def make_room(self, positions: int) -> None:
        """Grows all layers until lanes can have so many positions."""
        there = self.keys[0].shape[2]
        if positions <= there:
            return
        more = -(-(positions - there) // BLOCK) * BLOCK
        for tensors in (self.keys, self.values):
            for layer, tensor in enumerate(tensors):
                lanes, heads, _, head_dim = tensor.shape
                tensors[layer] = torch.cat([tensor, tensor.new_zeros(lanes, heads, more, head_dim)], dim=2)

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """One more position of every lane in use, (lanes, heads, head_dim); all there is on this layer now.

        `advance` follows once all layers are through.
        """
        count, reach = self.count, self.reach
        if self._are_alike:
            self.keys[layer][:count, :, reach] = keys
            self.values[layer][:count, :, reach] = values
        else:
            rows, at = torch.arange(count, device=keys.device), self.lengths[:count]
            self.keys[layer][rows, :, at] = keys
            self.values[layer][rows, :, at] = values
        return self.keys[layer][:count, :, : reach + 1], self.values[layer][:count, :, : reach + 1]

    def mask(self) -> Tensor | None:
        """What each lane may attend to in the step that `append` is for: (lanes, 1, 1, positions).

        None where all are of one length, and may attend to everything there is.
        """
        if self._are_alike:
            return None
        positions = torch.arange(self.reach + 1, device=self.lengths.device)
        return (positions[None] <= self.lengths[: self.count, None])[:, None, None]

    def advance(self) -> None:
        """Ends a step of all lanes in use."""
        self.lengths[: self.count] += 1
        for lane in range(self.count):
            self._longest[lane] += 1

    def remove(self, lane: int) -> int | None:
        """Frees a lane; answers the one that has its place now, None where it was the last."""
        last = self.count - 1
        moved = None
        if lane != last:
            moved, length = last, self._longest[last]
            for tensor in (*self.keys, *self.values):
                tensor[lane, :, :length] = tensor[last, :, :length]
            self._set_length(lane, length)
        self._set_length(last, 0)
        self.count = last
        return moved

    def _set_length(self, lane: int, length: int) -> None:
        self._longest[lane] = length
        self.lengths[lane] = length
