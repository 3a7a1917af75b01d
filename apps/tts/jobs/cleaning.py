"""What goes when its time is over: parts of ended jobs, results, texts, and whole jobs that were deleted."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.core import media
from apps.tts.jobs.models import UNCLAIMED, JobPart, JobText, SpeechJob

logger = structlog.get_logger(__name__)

# A task whose claim lapsed so long ago does not come back to store anything.
_SURELY_DEAD = timedelta(minutes=10)


def remove_parts(job_id: UUID) -> None:
    """Removes the stored audio of a job's parts but of those that a task is at."""
    for part in JobPart.objects.filter(UNCLAIMED, job_id=job_id, has_media=True):
        media.delete(part.media_key)
        # Not where another attempt has stored its own meanwhile.
        JobPart.objects.filter(pk=part.pk, record_id=part.record_id).update(has_media=False)


def tidy() -> None:
    """Looks after all jobs. Safe to run twice, and at once with anything."""
    now = timezone.now()
    for job_id in _with_parts_to_remove().values_list("pk", flat=True).iterator():
        remove_parts(job_id)
    for job in _with_result_to_remove().iterator():
        media.delete(job.result_key)
        SpeechJob.objects.filter(pk=job.pk, result_key=job.result_key).update(result_key="")
    _erase(JobText.objects.filter(job__ended_at__lt=now - timedelta(days=settings.JOB_TEXT_DAYS)))
    _forget_deleted()


@transaction.atomic
def _erase(texts: QuerySet[JobText]) -> None:
    jobs = list(texts.values_list("job_id", flat=True))
    SpeechJob.objects.filter(pk__in=jobs).update(text_erased_at=timezone.now())
    JobText.objects.filter(job_id__in=jobs).delete()


def _with_parts_to_remove() -> QuerySet[SpeechJob]:
    stored = JobPart.objects.filter(job=OuterRef("pk"), has_media=True)
    over = (
        Q(state__in=[SpeechJob.State.COMPLETED, SpeechJob.State.CANCELLED])
        | Q(deleted_at__isnull=False)
        | Q(state=SpeechJob.State.FAILED, expires_at__lte=timezone.now())
    )
    return SpeechJob.objects.filter(over, Exists(stored))


def _with_result_to_remove() -> QuerySet[SpeechJob]:
    over = Q(expires_at__lte=timezone.now()) | Q(deleted_at__isnull=False)
    ended = Q(state__in=SpeechJob.ENDED) | Q(deleted_at__isnull=False)
    return SpeechJob.objects.filter(UNCLAIMED, over, ended).exclude(result_key="")


def _forget_deleted() -> None:
    """Rows go last: they say where files are."""
    claimed = Q(claimed_until__gt=timezone.now() - _SURELY_DEAD)
    in_work = JobPart.objects.filter(Q(has_media=True) | claimed, job=OuterRef("pk"))
    SpeechJob.objects.filter(~Exists(in_work), deleted_at__isnull=False, result_key="").exclude(
        claimed
    ).delete()
