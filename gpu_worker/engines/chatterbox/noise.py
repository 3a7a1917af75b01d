"""Random numbers by their place: the same however a request is cut into chunks, whoever else there is."""

from __future__ import annotations

import torch
from torch import Tensor

from gpu_worker.engines.base import derived_seed


class Noise:
    """An endless strip of normal numbers, (places, width), made in blocks of one size as they are asked for.

    A generator gives other numbers where it is asked for other amounts at a time.
    """

    def __init__(self, seed: int, purpose: int, *, width: int, block: int, device: str) -> None:
        """`purpose` keeps apart what one seed is used for."""
        self._generator = torch.Generator(device).manual_seed(derived_seed(seed, purpose, 0))
        self._shape = (block, width)
        self._device = device
        self._made = torch.empty(0, width, device=device)
        self._first = 0

    def __getitem__(self, places: slice) -> Tensor:
        """(places, width); what lies before them is forgotten by `forget_before` alone."""
        first, stop = int(places.start), int(places.stop)
        if first < self._first:
            raise IndexError(f"places before {self._first} are forgotten")
        blocks = [self._made]
        there = self._first + len(self._made)
        while there < stop:
            blocks.append(torch.randn(self._shape, generator=self._generator, device=self._device))
            there += self._shape[0]
        if len(blocks) > 1:
            self._made = torch.cat(blocks)
        return self._made[first - self._first : stop - self._first]

    def forget_before(self, place: int) -> None:
        """Lets go of what is not asked for any more."""
        self._made = self._made[max(0, place - self._first) :]
        self._first = max(self._first, place)
