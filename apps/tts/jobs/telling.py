"""Jobs that ended are told to the organization's webhooks."""

from __future__ import annotations

from typing import Any

from apps.tts.jobs import events
from apps.tts.jobs.models import SpeechJob
from apps.webhooks import catalogue, outbox
from apps.webhooks.catalogue import EventType, identifier, one_of, record, text, whole

_FIELDS = {
    "job_id": identifier("The job; its file is at /api/jobs/{job_id}."),
    "title": text("What it was called; may be empty."),
    "mode": one_of("Of the key that it was asked for with.", ["live", "test"]),
    "characters": whole("Of its text."),
    "characters_charged": whole("What it cost."),
}
_EXAMPLE = {
    "job_id": "0197b3a2-8c05-7a92-b6e1-04d9f3c7a58e",
    "title": "Chapter 1",
    "mode": "live",
    "characters": 48_210,
    "characters_charged": 48_210,
}

COMPLETED = EventType(
    name="job.completed",
    meaning="A long text has become one file.",
    data=record(**_FIELDS, audio_ms=whole("How long it plays, in milliseconds.")),
    example={**_EXAMPLE, "audio_ms": 3_214_500},
)
FAILED = EventType(
    name="job.failed",
    meaning="A long text could not be made into a file; what was spoken of it is kept and charged.",
    data=record(**_FIELDS, error_code=text("A word for programs."), error_message=text("Words for people.")),
    example={
        **_EXAMPLE,
        "characters_charged": 12_400,
        "error_code": "voice_deleted",
        "error_message": "The voice was deleted.",
    },
)


def register() -> None:
    catalogue.register(COMPLETED, FAILED)
    events.subscribe(tell)


def tell(event: events.Event, job: SpeechJob) -> None:
    told: dict[str, Any] = {
        "job_id": str(job.pk),
        "title": job.title,
        "mode": job.mode,
        "characters": job.characters,
        "characters_charged": job.characters_charged,
    }
    if event == COMPLETED.name:
        told["audio_ms"] = job.audio_ms
    else:
        told |= {"error_code": job.error_code, "error_message": job.error_message}
    outbox.emit(event, organization_id=job.organization_id, data=told)
