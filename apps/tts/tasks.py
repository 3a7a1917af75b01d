"""What Celery does for the speech API."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.tts import forgetting, previews
from apps.tts.history import items
from apps.tts.idempotency import claims


@shared_task
def remove_idempotent_answers() -> int:
    return claims.remove_expired()


@shared_task
def sweep_idempotent_answers() -> int:
    return claims.sweep()


# One that waited longer is asked for by the schedule again.
@shared_task(expires=60)
def make_preview(voice_id: str) -> None:
    previews.make(UUID(voice_id))


@shared_task(expires=30)
def make_previews() -> None:
    """Of all voices that have none."""
    for voice_id in previews.wanted():
        make_preview.delay(str(voice_id))


@shared_task(expires=3600)
def forget_reference(organization_id: str, sha256: str) -> int:
    return forgetting.forget(UUID(organization_id), sha256)


@shared_task
def remove_history() -> int:
    return items.remove_expired()


@shared_task
def sweep_history() -> int:
    return items.sweep()
