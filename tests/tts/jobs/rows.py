"""Rows of a job as it is amid its work, without any."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from apps.accounts.models import Organization
from apps.keys.models import ApiKey
from apps.tts.jobs.models import JobPart, JobText, SpeechJob


def job_rows(
    organization: Organization, key: ApiKey | None = None, *, title: str = "A job", **fields: Any
) -> tuple[SpeechJob, JobText, JobPart]:
    """A job of two parts, of which the first is done."""
    text = f"{title}: one part of it. Another part of it."
    middle = text.index("Another")
    values: dict[str, Any] = {
        "state": SpeechJob.State.RUNNING,
        "mode": key.mode if key else ApiKey.Mode.LIVE,
        "model": "hibari",
        "voice": "heart",
        "format": "mp3",
        "options": {},
        "body_hash": bytes(32),
        "characters": len(text),
        "characters_done": middle,
        "characters_charged": middle,
        "parts_total": 2,
        "parts_done": 1,
        "audio_ms": 2_000,
    }
    job = SpeechJob.objects.create(organization=organization, key=key, title=title, **values | fields)
    source = JobText.objects.create(job=job, text=text)
    made = JobPart.objects.create(
        job=job,
        number=1,
        start=0,
        stop=middle,
        ending="sentence",
        state=JobPart.State.DONE,
        record_id=uuid4(),
        sample_rate=24_000,
        samples=48_000,
        characters_charged=middle,
    )
    JobPart.objects.create(job=job, number=2, start=middle, stop=len(text), ending="paragraph")
    return job, source, made
