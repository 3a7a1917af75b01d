"""What providers run for us that no deployment accounts for: found, reported, and ended after a while."""

from __future__ import annotations

from collections.abc import Set
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.core.errors import Conflict
from apps.deployments import claims, runs
from apps.deployments.models import Deployment, Orphan, Run
from apps.deployments.providers import provider_named, providers_in_use
from apps.deployments.providers.base import Provider, ProviderError
from apps.deployments.states import AT_REST

logger = structlog.get_logger(__name__)

# Of what nobody here knows: another platform may have been set up with the same account and names.
GRACE_SECONDS = 600.0
CLAIM_SECONDS = 120.0
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
    rows = Deployment.objects.filter(provider=name)
    is_written_down = Exists(Run.objects.filter(deployment=OuterRef("pk"), ended_at=None))
    at_rest = rows.filter(Q(pk__in=there) | is_written_down, state__in=AT_REST)
    known = set(rows.filter(pk__in=there).values_list("pk", flat=True))
    doomed = [
        partial(_end_left_over, provider, pk, is_there=pk in there)
        for pk in at_rest.values_list("pk", flat=True)
    ]
    doomed += [partial(_end_when_due, name, provider, orphan) for orphan in there - known]
    for end in doomed:
        try:
            end()
        except ProviderError as error:  # one that cannot be ended keeps no other from it
            logger.warning("left over, not removed", provider=name, reason=error.message)


def _end_left_over(provider: Provider, deployment_id: UUID, *, is_there: bool) -> None:
    """Its runs end when it is there no more: until then it is charged for."""
    # Claimed, since somebody may start it again at this very moment.
    deployment = claims.claim(deployment_id, seconds=CLAIM_SECONDS)
    if deployment is None:
        return
    try:
        if deployment.state not in AT_REST:
            return
        if is_there:
            logger.warning("left over, removed", provider=deployment.provider, deployment=str(deployment_id))
            provider.delete(deployment_id)
        else:
            runs.note(deployment, None)
    finally:
        claims.release(deployment)


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


def remove_now(orphan: Orphan) -> None:
    """Has its provider take it down without waiting.

    Raises `Conflict` for what is a deployment of ours after all, and `ProviderError`.
    """
    if Deployment.objects.filter(pk=orphan.provider_id).exists():
        raise Conflict("There is a deployment of that id here. Stop or delete that one.")
    provider_named(orphan.provider).delete(orphan.provider_id)
    logger.warning("orphan removed", provider=orphan.provider, deployment=str(orphan.provider_id))
    orphan.removed_at = timezone.now()
    orphan.save(update_fields=["removed_at", "updated_at"])
