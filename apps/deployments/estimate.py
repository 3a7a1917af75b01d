"""What a deployment would cost, and costs now, at the prices that are known. US dollars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.deployments.gpus import GPUS, Gpu
from apps.deployments.models import Deployment, GpuPrice
from apps.deployments.prices import newest
from apps.deployments.states import AT_REST, State

# As providers count a month.
HOURS_PER_MONTH: Final = 730
# Nothing runs for it.
_COSTS_NOTHING = AT_REST | {State.ASLEEP, State.PAUSED}


@dataclass(frozen=True, slots=True)
class Estimate:
    """`price` is of one replica for an hour; `None` where nobody has told it, and so are the sums then."""

    price: Decimal | None
    min_replicas: int
    max_replicas: int
    is_of_cpu: bool = False

    @property
    def per_hour_at_min(self) -> Decimal | None:
        return self._of(self.min_replicas)

    @property
    def per_hour_at_max(self) -> Decimal | None:
        return self._of(self.max_replicas)

    @property
    def replicas_always_on(self) -> int:
        return max(1, self.min_replicas)

    @property
    def per_month_always_on(self) -> Decimal | None:
        return self._of(self.replicas_always_on * HOURS_PER_MONTH)

    @property
    def bounds(self) -> str:
        low, high = self.min_replicas, self.max_replicas
        return f"{low} to {high} replicas" if low != high else f"{high} replica{'' if high == 1 else 's'}"

    def _of(self, hours: int) -> Decimal | None:
        return None if self.price is None else self.price * hours


@dataclass(frozen=True, slots=True)
class GpuCard:
    """A GPU to choose, with what one costs an hour by kind of deployment; `None` where nobody told it."""

    gpu: Gpu
    serverless: Decimal | None
    serverless_spot: Decimal | None
    dedicated: Decimal | None
    dedicated_spot: Decimal | None

    def price(self, kind: str, *, is_spot: bool) -> Decimal | None:
        if kind == Deployment.Kind.DEDICATED:
            return self.dedicated_spot if is_spot else self.dedicated
        return self.serverless_spot if is_spot else self.serverless


def gpu_cards(provider: str) -> dict[str, GpuCard]:
    """By name, with the provider's newest prices; the list's for spot where it told none."""
    told = newest(provider)
    return {gpu.name: _card(gpu, told.get(gpu.name)) for gpu in GPUS.values()}


def _card(gpu: Gpu, told: GpuPrice | None) -> GpuCard:
    if told is None:
        return GpuCard(gpu, None, gpu.spot_list_price, None, gpu.spot_list_price)
    return GpuCard(gpu, told.serverless, told.serverless_spot, told.on_demand, told.spot)


def replicas_now(deployment: Deployment) -> int:
    """How many it is meant to run at this moment."""
    return 0 if deployment.state in _COSTS_NOTHING else deployment.desired_replicas


def price_now(deployment: Deployment) -> Decimal | None:
    """For an hour, of all its replicas; zero for what runs nothing, `None` where no price is known."""
    if deployment.price_per_hour is None:
        return None
    return deployment.price_per_hour * replicas_now(deployment)
