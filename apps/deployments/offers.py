"""What a customer may ask for here and now: providers, engines, and GPUs with what they cost."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.conf import settings

from apps.core.errors import InvalidRequest
from apps.deployments.gpus import GPUS, Gpu
from apps.deployments.models import Deployment, GpuPrice
from apps.deployments.prices import newest

NEEDS_PYTHON: Final = (
    "This machine has no Python with Chatterbox: whoever runs it can set LOCAL_CHATTERBOX_PYTHON."
)
DEMO = "demo"
LIVE = "live"
# All but what only benches and tests want.
ENGINES = [engine for engine in Deployment.Engine if engine is not Deployment.Engine.TONE]


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a GPU is to be had at one place now."""

    location: str
    on_demand: bool
    spot: bool


@dataclass(frozen=True, slots=True)
class GpuOffer:
    """A GPU of the catalogue. Prices are in US dollars an hour for one of them.

    `list_price` is the published one for spot; what is `None` no provider has told.
    """

    name: str
    model: str
    memory_gb: int
    best_for: str
    list_price: Decimal
    on_demand_price: Decimal | None = None
    spot_price: Decimal | None = None
    availability: tuple[Availability, ...] | None = None

    @classmethod
    def listed(cls, gpu: Gpu) -> GpuOffer:
        """By its list price alone."""
        return cls(gpu.name, gpu.model, gpu.memory_gb, gpu.best_for, gpu.spot_list_price)

    @property
    def is_live(self) -> bool:
        """Whether a provider told its prices and where it is to be had."""
        return not (self.on_demand_price is None and self.spot_price is None and self.availability is None)


def mode() -> str:
    return DEMO if settings.DEMO_MODE else LIVE


def offered_providers() -> list[str]:
    """Where a new deployment may run; the first is meant where none is named."""
    return [Deployment.Provider.LOCAL] if settings.DEMO_MODE else [Deployment.Provider.VERDA]


def check_provider(provider: str) -> str:
    """The provider that is meant. Raises `InvalidRequest` for one that this platform is not set up for."""
    offered = offered_providers()
    if provider and provider not in offered:
        raise InvalidRequest(
            f"This platform runs deployments at {', '.join(offered)} alone.", param="provider"
        )
    return provider or offered[0]


def missing_engines(provider: str) -> list[str]:
    """Engines that cannot run at a provider as this platform is set up."""
    if provider != Deployment.Provider.LOCAL or settings.LOCAL_CHATTERBOX_PYTHON:
        return []
    return [engine.value for engine in ENGINES if engine is not Deployment.Engine.CPU]


def check_engine(engine: str, provider: str) -> None:
    """Raises `InvalidRequest` for an engine that cannot run at the provider."""
    if engine in missing_engines(provider):
        raise InvalidRequest(NEEDS_PYTHON, param="engine")


def gpu_offers() -> list[GpuOffer]:
    """In the order of the catalogue."""
    told = newest(offered_providers()[0])
    return [_offer(gpu, told.get(gpu.name)) for gpu in GPUS.values()]


def _offer(gpu: Gpu, told: GpuPrice | None) -> GpuOffer:
    offer = GpuOffer.listed(gpu)
    if told is None:
        return offer
    codes = sorted({*told.locations, *told.spot_locations})
    return dataclasses.replace(
        offer,
        on_demand_price=told.on_demand,
        spot_price=told.spot,
        availability=tuple(
            Availability(code, on_demand=code in told.locations, spot=code in told.spot_locations)
            for code in codes
        ),
    )
