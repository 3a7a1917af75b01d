"""What providers run for us that no deployment accounts for: found, reported, and ended after a while."""

from __future__ import annotations

from collections.abc import Set
from datetime import timedelta
from uuid import UUID

import structlog
from django.utils import timezone

from apps.deployments import runs
from apps.deployments.models import Deployment, Orphan
from apps.deployments.providers import providers_in_use
from apps.deployments.providers.base import Provider, ProviderError

logger = structlog.get_logger(__name__)

# Of what nobody here knows: another platform may have been set up with the same account and names.
GRACE_SECONDS = 600.0
KEPT_DAYS = 30


def remove_orphans() -> dict[str, Set[UUID]]:
    """Ends what providers run for deployments that are at rest, and for none at all after a grace period.

    Returns what each provider has, of those that answered.
    """
    seen: dict[str, Set[UUID]] = {}
    for name, provider in providers_in_use().items():
        try:
            # The provider is asked first: a deployment has its row before the provider hears of it.
            there = provider.list_ids()
            _remove(name, provider, there)
            seen[name] = there
        except ProviderError as error:
            logger.info("provider not asked for orphans", provider=name, reason=error.message)
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    Orphan.objects.filter(seen_at__lt=before).delete()
    return seen


def _remove(name: str, provider: Provider, there: Set[UUID]) -> None:
    rows = Deployment.objects.filter(provider=name, pk__in=there)
    known = set(rows.values_list("pk", flat=True))
    meant = set(rows.active().values_list("pk", flat=True))
    for left_over in rows.exclude(pk__in=meant):
        logger.warning("left over, removed", provider=name, deployment=str(left_over.pk))
        provider.delete(left_over.pk)
        runs.note(left_over, None)
    for orphan in there - known:
        _end_when_due(name, provider, orphan)


def _end_when_due(name: str, provider: Provider, orphan: UUID) -> None:
    row, is_new = Orphan.objects.get_or_create(
        provider=name, provider_id=orphan, defaults={"seen_at": timezone.now()}
    )
    if is_new:
        logger.warning("orphan found", provider=name, deployment=str(orphan))
    grace = 0.0 if name == Deployment.Provider.LOCAL else GRACE_SECONDS
    row.seen_at = now = timezone.now()
    if now - row.created_at >= timedelta(seconds=grace):
        logger.warning("orphan removed", provider=name, deployment=str(orphan))
        provider.delete(orphan)
        row.removed_at = now
    row.save(update_fields=["seen_at", "removed_at", "updated_at"])
