"""What is kept for how long, and that nothing stays behind."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core import media
from apps.tts.jobs.cleaning import remove_parts, tidy
from apps.tts.jobs.models import JobPart, JobText, SpeechJob
from apps.tts.jobs.services import cancel_job, delete_job
from tests.tts.jobs.customer import Customer, fresh
from tests.tts.jobs.rows import job_rows

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def stored(settings: Any, tmp_path: Path) -> Path:
    """Media of the test's own."""
    location = {"OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"default": settings.STORAGES["default"] | location}
    return tmp_path


def files(stored: Path) -> list[str]:
    return sorted(path.suffix for path in stored.rglob("*") if path.is_file())


def job_of(customer: Customer, **fields: Any) -> SpeechJob:
    """With the stored audio of its first part, and its file where it is over."""
    job, _, part = job_rows(customer.organization, **fields)
    media.save(part.media_key, b"pcm")
    JobPart.objects.filter(pk=part.pk).update(has_media=True)
    if job.state == "completed":
        key = f"jobs/{job.pk}/{uuid4()}.mp3"
        media.save(key, b"mp3")
        SpeechJob.objects.filter(pk=job.pk).update(result_key=key)
    return fresh(job)


def over(state: str, *, ago: timedelta = timedelta(), kept: timedelta = 7 * DAY) -> dict[str, Any]:
    ended = timezone.now() - ago
    return {"state": state, "ended_at": ended, "expires_at": ended + kept}


def test_a_running_job_loses_nothing(anna: Customer, stored: Path) -> None:
    job_of(anna)
    tidy()
    assert files(stored) == [".pcm"]


def test_parts_go_with_the_end_and_the_file_after_its_days(anna: Customer, stored: Path) -> None:
    job = job_of(anna, **over("completed"))
    tidy()
    assert files(stored) == [".mp3"]
    SpeechJob.objects.update(expires_at=timezone.now())
    tidy()
    assert files(stored) == []
    job = fresh(job)
    assert (job.state, job.result_key, job.has_result) == ("completed", "", False)
    assert JobText.objects.filter(job=job).exists()
    tidy()


def test_a_failed_job_can_be_resumed_for_some_days(anna: Customer, stored: Path) -> None:
    job = job_of(anna, **over("failed", ago=6 * DAY))
    tidy()
    assert files(stored) == [".pcm"]
    assert fresh(job).can_resume
    SpeechJob.objects.update(expires_at=timezone.now())
    tidy()
    assert files(stored) == []
    assert not fresh(job).can_resume


def test_a_cancelled_jobs_parts_go_once_nobody_is_at_them(anna: Customer, stored: Path) -> None:
    job = job_of(anna)
    JobPart.objects.filter(has_media=True).update(
        claimed_by=uuid4(), claimed_until=timezone.now() + timedelta(seconds=20)
    )
    cancel_job(job=job)
    remove_parts(job.pk)
    assert files(stored) == [".pcm"]
    JobPart.objects.update(claimed_until=timezone.now())
    tidy()
    assert files(stored) == []
    assert SpeechJob.objects.count() == 1


def test_texts_are_erased_after_their_days(anna: Customer, settings: Any) -> None:
    settings.JOB_TEXT_DAYS = 30
    young = job_of(anna, **over("completed", ago=29 * DAY))
    old = job_of(anna, **over("completed", ago=31 * DAY))
    running = job_of(anna)
    tidy()
    assert set(JobText.objects.values_list("job_id", flat=True)) == {young.pk, running.pk}
    assert fresh(old).text_erased_at is not None
    assert (fresh(old).characters, fresh(young).text_erased_at) == (old.characters, None)


def test_a_deleted_job_leaves_nothing(anna: Customer, stored: Path) -> None:
    delete_job(job=job_of(anna, **over("completed")))
    delete_job(job=job_of(anna))
    assert not JobText.objects.exists()
    tidy()
    tidy()
    assert files(stored) == []
    assert not SpeechJob.objects.exists()


def test_a_row_stays_for_as_long_as_a_task_might_store_something(anna: Customer, stored: Path) -> None:
    job = job_of(anna)
    delete_job(job=job)
    JobPart.objects.update(claimed_by=uuid4(), claimed_until=timezone.now() - timedelta(minutes=1))
    tidy()
    assert SpeechJob.objects.exists()
    JobPart.objects.update(claimed_until=timezone.now() - timedelta(minutes=11))
    tidy()
    assert not SpeechJob.objects.exists()


def test_a_file_that_is_gone_already_stops_nobody(anna: Customer, stored: Path) -> None:
    job = job_of(anna, **over("completed"))
    media.delete(JobPart.objects.get(has_media=True).media_key)
    media.delete(job.result_key)
    SpeechJob.objects.update(expires_at=timezone.now())
    tidy()
    assert not JobPart.objects.filter(has_media=True).exists()
