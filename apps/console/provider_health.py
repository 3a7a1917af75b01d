"""Providers on the first page of admin, by what is written down of them: nobody is asked for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from apps.console.state_counts import DEPLOYMENT_TONES, WORKER_TONES, StateCount, in_order
from apps.deployments.models import BillCheck, Deployment, GpuPrice, Orphan, Worker
from apps.deployments.offers import offered_providers

# Prices are sampled by the hour.
SILENT_AFTER = timedelta(hours=2)
# A failure stays until somebody starts the deployment again; after that long it tells nothing of now.
TROUBLE_LASTS = timedelta(days=1)
# Of workers, whatever their provider does.
_OF_WORKERS = Q(error_code__startswith="worker") | Q(error_code="too_many_losses")


@dataclass(frozen=True)
class ProviderHealth:
    """`trouble` is the deployment that last met some there; `priced_at` when it last told prices."""

    label: str
    asks_for_money: bool
    trouble: Deployment | None
    priced_at: datetime | None
    bill: BillCheck | None
    orphans: int
    deployments: list[StateCount]
    workers: list[StateCount]
    at: datetime

    @property
    def is_silent(self) -> bool:
        """Whether its prices have not come for too long."""
        return self.asks_for_money and (self.priced_at is None or self.at - self.priced_at > SILENT_AFTER)

    @property
    def word(self) -> str:
        if self.trouble:
            return "in trouble"
        if self.is_silent:
            return "silent" if self.priced_at else "not heard of yet"
        return "answers" if self.asks_for_money else "no trouble"

    @property
    def tone(self) -> str:
        if self.trouble:
            return "bad"
        return "warning" if self.is_silent else "good"


def health_of_providers(now: datetime) -> list[ProviderHealth]:
    """Of those that new deployments run at, and those that still have something."""
    deployments = _counted(Deployment.objects.order_by(), "provider")
    workers = _counted(Worker.objects.exclude(state=Worker.State.LOST).order_by(), "deployment__provider")
    troubles = {row.provider: row for row in _troubles(now)}
    open_orphans = Orphan.objects.filter(removed_at=None).order_by().values_list("provider")
    orphans = dict(open_orphans.annotate(count=Count("pk")))
    in_use = {*offered_providers(), *deployments, *orphans}
    return [
        ProviderHealth(
            label=str(provider.label),
            asks_for_money=provider != Deployment.Provider.LOCAL,
            trouble=troubles.get(provider.value),
            priced_at=_priced_at(provider),
            bill=BillCheck.objects.filter(provider=provider).first(),
            orphans=orphans.get(provider.value, 0),
            deployments=in_order(Deployment, deployments[provider.value], DEPLOYMENT_TONES),
            workers=in_order(Worker, workers[provider.value], WORKER_TONES),
            at=now,
        )
        for provider in Deployment.Provider
        if provider.value in in_use
    ]


def _counted(rows: QuerySet[Any], provider: str) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, state, count in rows.values_list(provider, "state").annotate(count=Count("pk")):
        found[name].append((state, count))
    return found


def _troubles(now: datetime) -> QuerySet[Deployment]:
    """The newest of each provider."""
    lasting = ~Q(state=Deployment.State.FAILED) | Q(state_changed_at__gt=now - TROUBLE_LASTS)
    told = Deployment.objects.exclude(error_code="").exclude(_OF_WORKERS).filter(lasting)
    newest: QuerySet[Deployment] = told.order_by("provider", "-updated_at").distinct("provider")
    return newest


def _priced_at(provider: str) -> datetime | None:
    prices = GpuPrice.objects.filter(provider=provider).order_by("-id")
    newest: datetime | None = prices.values_list("created_at", flat=True).first()
    return newest
