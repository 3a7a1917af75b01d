"""What Celery does for voices."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.voices import files


@shared_task(expires=60)
def remove_files_of(voice_id: str) -> None:
    files.remove_files_of(UUID(voice_id))


@shared_task(expires=60)
def remove_files() -> None:
    """Of all voices that have ended; one that fails, for a bucket is away, is tried again by the schedule."""
    for voice_id in files.left_behind():
        remove_files_of.delay(str(voice_id))
