"""What a deployment would cost, and costs now, at the prices that are known. US dollars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.deployments.models import Deployment
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


def replicas_now(deployment: Deployment) -> int:
    """How many it is meant to run at this moment."""
    return 0 if deployment.state in _COSTS_NOTHING else deployment.desired_replicas


def price_now(deployment: Deployment) -> Decimal | None:
    """For an hour, of all its replicas; zero for what runs nothing, `None` where no price is known."""
    if deployment.price_per_hour is None:
        return None
    return deployment.price_per_hour * replicas_now(deployment)
