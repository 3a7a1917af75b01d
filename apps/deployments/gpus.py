"""The GPUs that VoiceFlow knows: what each is best for, and its list price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Gpu:
    """`spot_list_price` is in US dollars an hour, as published; live prices drift from it.

    `instance_type` is the provider's name for a machine with one of them.
    """

    name: str
    model: str
    memory_gb: int
    spot_list_price: Decimal
    instance_type: str
    best_for: str

    @property
    def label(self) -> str:
        return f"{self.model} {self.memory_gb} GB"


GPUS: Mapping[str, Gpu] = MappingProxyType(
    {
        gpu.name: gpu
        for gpu in (
            Gpu(
                "v100-16gb",
                "Tesla V100",
                16,
                Decimal("0.076"),
                "1V100.6V",
                "Trying things out: one voice at a time at the lowest price.",
            ),
            Gpu(
                "a6000-48gb",
                "RTX A6000",
                48,
                Decimal("0.125"),
                "1A6000.10V",
                "Everyday speech: a small batch at once, and the best price for each minute of it.",
            ),
            Gpu(
                "a100-40gb",
                "A100",
                40,
                Decimal("0.238"),
                "1A100.40S.22V",
                "Steady traffic: fast first audio with a dozen requests at once.",
            ),
            Gpu(
                "a100-80gb",
                "A100",
                80,
                Decimal("0.425"),
                "1A100.22V",
                "Heavy traffic: the largest batches, long texts among them.",
            ),
            Gpu(
                "h100-80gb",
                "H100",
                80,
                Decimal("0.850"),
                "1H100.80S.32V",
                "The soonest first audio under load, for conversations.",
            ),
        )
    }
)


def gpu_named(name: str) -> Gpu | None:
    return GPUS.get(name)
