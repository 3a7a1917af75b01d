"""What Celery does for releases, in a queue of their own: clips and speech never wait behind them."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.contributions.models import Release
from apps.contributions.releasing import claims, keeping

# The longest step; a claim that is not renewed lapses long before.
TIME_LIMIT_SECONDS = 4 * 3600


# Its queue is named in the settings.
@shared_task(expires=60, time_limit=TIME_LIMIT_SECONDS, ignore_result=True)
def make_release(release_id: str) -> None:
    """One step, and a call for the next."""
    # Not above: pyarrow takes 60 MB, in this process alone.
    from apps.contributions.releasing import making

    if making.make(UUID(release_id)):
        make_release.delay(release_id)


@shared_task(ignore_result=True)
def remove_files(release_id: str) -> None:
    keeping.remove_files(Release.objects.get(pk=release_id))


@shared_task(expires=25, ignore_result=True)
def sweep() -> None:
    """On schedule: what nobody was called for, or whose task died; and files that should be gone."""
    for release_id in claims.waiting():
        make_release.delay(str(release_id))
    for release_id in keeping.outdated():
        remove_files.delay(str(release_id))


@shared_task(expires=3600, ignore_result=True)
def tidy() -> None:
    """On schedule: what a task that was killed, or went on without its claim, has left in the storage."""
    for release in Release.objects.order_by("id").iterator():
        keeping.tidy(release)
