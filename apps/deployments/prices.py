"""Prices as providers told them, sampled by the hour, and the bill checked by the day."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.utils import timezone

from apps.deployments import costs
from apps.deployments.models import BillCheck, Deployment, GpuPrice, Run
from apps.deployments.providers import providers_in_use
from apps.deployments.providers.base import ProviderError

logger = structlog.get_logger(__name__)

# Older ones are told as no price at all.
FRESH = timedelta(hours=26)
KEPT = timedelta(days=400)
TOLERANCE = Decimal("0.05")
# Below this a few cents of rounding are a large part.
SMALLEST_USD = Decimal(1)


def sample() -> int:
    """Asks every provider; returns how many prices it wrote down."""
    written = 0
    for name, provider in providers_in_use().items():
        try:
            prices = provider.prices()
        except ProviderError as error:
            logger.info("prices not sampled", provider=name, reason=error.message)
            continue
        rows = [
            GpuPrice(
                provider=name,
                gpu=price.gpu,
                on_demand=price.on_demand,
                spot=price.spot,
                serverless=price.serverless,
                serverless_spot=price.serverless_spot,
                locations=list(price.locations),
                spot_locations=list(price.spot_locations),
            )
            for price in prices
        ]
        written += len(GpuPrice.objects.bulk_create(rows))
    GpuPrice.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return written


def newest(provider: str) -> dict[str, GpuPrice]:
    """By GPU, those of the last day."""
    rows = GpuPrice.objects.filter(provider=provider, created_at__gt=timezone.now() - FRESH)
    return {row.gpu: row for row in rows.order_by("provider", "gpu", "-id").distinct("provider", "gpu")}


def price_of(*, provider: str, kind: str, gpu: str, gpu_count: int, is_spot: bool) -> Decimal | None:
    """Of one replica an hour, by the newest sample; `None` where none is known."""
    row = newest(provider).get(gpu)
    if row is None:
        return None
    if kind == Deployment.Kind.SERVERLESS:
        each = row.serverless_spot if is_spot else row.serverless
    else:
        each = row.spot if is_spot else row.on_demand
    return None if each is None else each * gpu_count


def check_bills() -> list[BillCheck]:
    """Compares what providers took since the last check with what was written down, and says what is off."""
    checks = []
    for name, provider in providers_in_use().items():
        try:
            balance = provider.balance()
        except ProviderError as error:
            logger.info("bill not checked", provider=name, reason=error.message)
            continue
        if balance is not None:
            checks.append(_check(name, balance, timezone.now()))
    return checks


def _check(provider: str, balance: Decimal, now: datetime) -> BillCheck:
    before = BillCheck.objects.filter(provider=provider).first()
    check = BillCheck(provider=provider, balance=balance)
    if before is not None and before.balance >= balance:
        check.taken = before.balance - balance
        runs = Run.objects.filter(deployment__provider=provider)
        check.recorded = costs.of(runs, since=before.created_at, until=now)
        off_by = abs(check.taken - check.recorded)
        larger = max(check.taken, check.recorded)
        check.is_off = larger >= SMALLEST_USD and off_by > TOLERANCE * larger
    check.save()
    if check.is_off:
        logger.error("bill is off", provider=provider, taken=str(check.taken), recorded=str(check.recorded))
    return check
