"""What Celery does for voices."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.db import DatabaseError, transaction

from apps.accounts.models import Organization
from apps.core import media
from apps.core.errors import Unavailable
from apps.voices import hooks
from apps.voices.models import Voice, reference_key

_GONE = (Voice.State.WITHDRAWN, Voice.State.DELETED)


# About four days of tries: what somebody withdrew must not stay because a bucket was away.
@shared_task(
    autoretry_for=(Unavailable, DatabaseError, OSError),
    retry_backoff=5,
    retry_backoff_max=3600,
    max_retries=100,
)
def remove_files(organization_id: str, sha256: str, preview_key: str) -> None:
    """Removes a recording that no voice of the organization may use any more, and a clip of the voice."""
    media.delete(preview_key)
    with transaction.atomic():
        # As long as this is held no other voice is added with the same recording.
        Organization.objects.select_for_update(no_key=True).only("pk").get(pk=organization_id)
        left = Voice.objects.filter(organization_id=organization_id, reference_sha256=sha256)
        if left.exclude(state__in=_GONE).exists():
            return
        media.delete(reference_key(UUID(organization_id), sha256))
    if hooks.forget_reference is not None:
        hooks.forget_reference(UUID(organization_id), sha256)
