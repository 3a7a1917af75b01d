"""The parts of a job become its file. A task that dies amid this leaves nothing: it is done over."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from threading import Event
from typing import IO, Final, cast

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.core import media
from apps.core.errors import AppError, CannotSpeak
from apps.tts.jobs import events
from apps.tts.jobs.assembling import write_file
from apps.tts.jobs.claims import Claim, ClaimLost, renewed
from apps.tts.jobs.joining import Edges, Part, Samples, joined, samples_of
from apps.tts.jobs.models import JobPart, SpeechJob
from gpu_worker.text import Ending

logger = structlog.get_logger(__name__)

_CHUNK_SECONDS: Final = 2
# No silence between two parts is longer, at any speed.
_LONGEST_SEAM_SECONDS: Final = 2


class AudioLost(AppError):
    code = "audio_lost"


def assemble(claim: Claim) -> None:
    """Writes the file beside its parts, stores it, and ends the job. Raises `CannotSpeak`, `ClaimLost`."""
    job: SpeechJob | None = claim.rows.first()
    if job is None:
        raise ClaimLost
    parts = list(job.parts.filter(state=JobPart.State.DONE).order_by("number"))
    if not parts:
        raise CannotSpeak("There is nothing in this text that the voice can speak.", param="text")
    key = f"jobs/{job.id}/{claim.owner}.{job.extension}"
    with renewed(claim) as lost, _scratch_file() as file:
        audio_ms = _write(file, job, parts, lost)
        size = file.seek(0, os.SEEK_END)
        # The row knows of the file before it is there, so that none is left without a row.
        earlier = job.result_key
        if not claim.rows.update(result_key=key):
            raise ClaimLost
        if earlier:
            media.delete(earlier)
        media.save(key, file)
    _complete(claim, result_bytes=size, audio_ms=audio_ms)


def _write(file: IO[bytes], job: SpeechJob, parts: list[JobPart], lost: Event) -> int:
    """How long the file plays, in ms."""
    rate = cast(int, parts[0].sample_rate)
    most = sum(
        part.samples * rate // (part.sample_rate or rate) + _LONGEST_SEAM_SECONDS * rate for part in parts
    )
    chunks = joined((_to_join(part, lost) for part in parts), speed=job.speed)
    samples = write_file(file, chunks, encoding=job.encoding(rate), source_rate=rate, most_samples=most)
    return samples * 1000 // rate


def _to_join(part: JobPart, lost: Event) -> Part:
    rate = cast(int, part.sample_rate)

    def chunks() -> Iterator[Samples]:
        try:
            reading = media.open_range(part.media_key)
        except FileNotFoundError as error:
            raise AudioLost(f"The audio of part {part.number} is gone from the storage.") from error
        with closing(reading):
            while pcm := reading.read(2 * rate * _CHUNK_SECONDS):
                if lost.is_set():
                    raise ClaimLost
                yield samples_of(pcm)

    edges = Edges(part.lead, part.tail, part.ends_in_sound)
    return Part(rate, edges, cast(Ending, part.ending) if part.ending else None, chunks)


def _complete(claim: Claim, *, result_bytes: int, audio_ms: int) -> None:
    now = timezone.now()
    with transaction.atomic():
        completed = claim.rows.filter(state=SpeechJob.State.RUNNING, deleted_at=None).update(
            state=SpeechJob.State.COMPLETED,
            result_bytes=result_bytes,
            audio_ms=audio_ms,
            ended_at=now,
            expires_at=now + timedelta(days=settings.JOB_RESULT_DAYS),
            error_code="",
            error_message="",
            waits_for="",
            waiting_since=None,
            claimed_by=None,
            claimed_until=None,
        )
        if not completed:
            raise ClaimLost
        job = SpeechJob.objects.get(pk=claim.job_id)
        events.emit("job.completed", job)
    logger.info("job completed", characters=job.characters, audio_ms=audio_ms, bytes=result_bytes)


def _scratch_file() -> IO[bytes]:
    """Without a name: it is gone with the task, however that ends."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=settings.VAR_DIR)
