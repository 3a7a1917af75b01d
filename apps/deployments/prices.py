"""Prices as providers told them, sampled by the hour."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import structlog
from django.utils import timezone

from apps.deployments.models import Deployment, GpuPrice
from apps.deployments.providers import providers_in_use
from apps.deployments.providers.base import ProviderError

logger = structlog.get_logger(__name__)

# Older ones are told as no price at all.
FRESH = timedelta(hours=26)
KEPT = timedelta(days=400)


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
