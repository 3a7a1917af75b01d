"""Verda as a `Provider`: containers that scale to zero by themselves, and dedicated machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence, Set
from decimal import Decimal
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from apps.deployments.gpus import GPUS
from apps.deployments.gpus import Gpu as KnownGpu
from apps.deployments.providers.base import Observation, Price, Wanted
from apps.deployments.providers.verda.client import VerdaClient
from apps.deployments.providers.verda.dedicated import Dedicated
from apps.deployments.providers.verda.errors import VerdaError
from apps.deployments.providers.verda.ground import Ground, Settings, translated
from apps.deployments.providers.verda.serverless import Serverless
from apps.deployments.providers.verda.types import Gpu

SERVERLESS = "serverless"
KEEPSAKES_SECONDS = 300.0
_P = ParamSpec("_P")
_R = TypeVar("_R")


def _in_our_terms(call: Callable[_P, _R]) -> Callable[_P, _R]:
    @wraps(call)
    def asked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return call(*args, **kwargs)
        except VerdaError as error:
            raise translated(error) from error

    return asked


class VerdaProvider:
    """The `Provider`; one for each process, safe for its threads."""

    def __init__(self, client: VerdaClient, settings: Settings) -> None:
        self._ground = Ground(client, settings)
        self._serverless = Serverless(self._ground)
        self._dedicated = Dedicated(self._ground)
        self._keepsakes_asked_at = -KEEPSAKES_SECONDS

    def start_deadline_seconds(self, engine: str) -> float:
        return 2400.0  # a machine to be found, an image of 8 GB, weights of 3 GB

    def typical_start_seconds(self, engine: str) -> float:
        return 180.0

    def scales_alone(self, kind: str) -> bool:
        return kind == SERVERLESS

    @_in_our_terms
    def ensure(self, wanted: Wanted) -> None:
        self._kind(wanted).ensure(wanted)

    @_in_our_terms
    def describe(self, wanted: Wanted, *, closely: bool = True) -> Observation | None:
        return self._kind(wanted).describe(wanted, closely=closely)

    @_in_our_terms
    def delete(self, deployment_id: UUID) -> None:
        try:
            self._serverless.delete(deployment_id)
        finally:
            # Credentials may be good for one kind only, and machines cost the most.
            self._dedicated.delete(deployment_id)

    @_in_our_terms
    def list_ids(self) -> Set[UUID]:
        ids = self._serverless.ids() | self._dedicated.ids()
        now = time.monotonic()
        if now - self._keepsakes_asked_at < KEEPSAKES_SECONDS:
            return ids
        # Seldom, since they cost nothing: what was left where a deletion was cut off.
        ids |= self._serverless.keepsakes() | self._dedicated.keepsakes()
        self._keepsakes_asked_at = now
        return ids

    @_in_our_terms
    def prices(self) -> Sequence[Price]:
        hardware = {gpu.instance_type: gpu for gpu in self._ground.hardware.get(fresh=True)}
        there = [known for known in GPUS.values() if known.instance_type in hardware]
        return [_price(known, hardware[known.instance_type]) for known in there]

    @_in_our_terms
    def balance(self) -> Decimal | None:
        balance = self._ground.client.balance()
        return balance.amount if balance.currency.lower() == "usd" else None

    def _kind(self, wanted: Wanted) -> Serverless | Dedicated:
        return self._serverless if wanted.machine.kind == SERVERLESS else self._dedicated


def _price(known: KnownGpu, gpu: Gpu) -> Price:
    return Price(
        gpu=known.name,
        on_demand=gpu.instance_price,
        spot=gpu.instance_spot_price,
        serverless=gpu.serverless_price,
        serverless_spot=gpu.serverless_spot_price,
        locations=gpu.locations,
        spot_locations=gpu.spot_locations,
    )
