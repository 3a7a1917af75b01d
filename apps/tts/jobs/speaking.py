"""One part spoken: the very request that any caller makes, kept in media before it is charged.

The order decides what a crash costs. The row names the request's usage record before its audio is stored, the
audio is stored before the request is settled, and the part is done once its record says ok. So a part is made
and charged once wherever the task dies: what was not settled is closed by the reconciler as cut, charged
nothing, and made anew; what was settled is found to be done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Substr

from apps.core import media
from apps.core.errors import CannotSpeak, Unavailable
from apps.core.threads import BlockingThreads
from apps.keys.identity import Identity, identity_of_key, identity_of_organization
from apps.tts.jobs.claims import Claim, ClaimLost, renewed
from apps.tts.jobs.joining import edges_of, samples_of
from apps.tts.jobs.models import JobPart, JobText, SpeechJob
from apps.tts.request import Source
from apps.tts.runtime import Runtime
from apps.tts.speech import Recording, Speech, speak
from apps.usage.models import UsageRecord

logger = structlog.get_logger(__name__)

_SETTLED_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.01
# A process that died is known for dead, and what it left open is closed, within this time.
RECONCILED_SECONDS: Final = 5.0


class Unsettled(Unavailable):
    """The request of an attempt that was kept is not closed yet: it decides whether the part is done."""

    code = "settlement_pending"


def speak_part(claim: Claim) -> None:
    """Makes the claimed part, or finds that it is made. Raises `ClaimLost`, an `AppError` for a refusal."""
    part = claim.rows.select_related("job").first()
    if part is None:
        raise ClaimLost
    if part.state == JobPart.State.KEPT and _is_made(claim, part):
        return
    said = Substr("text", part.start + 1, part.characters)
    text = JobText.objects.filter(pk=part.job_id).values_list(said, flat=True).first()
    if text is None:
        raise ClaimLost  # the job was deleted
    try:
        asyncio.run(_spoken(claim, part, text))
    except CannotSpeak as error:
        _skip(claim, part, error)


def identity_for(job: SpeechJob) -> Callable[[], Identity]:
    """Who the job speaks for, read anew for each part: a key that was revoked stops it."""
    key_id, organization_id = job.key_id, job.organization_id
    if key_id is not None:
        return lambda: identity_of_key(key_id)
    return lambda: identity_of_organization(organization_id)


async def _spoken(claim: Claim, part: JobPart, text: str) -> None:
    loop, working = asyncio.get_running_loop(), asyncio.current_task()
    assert working is not None  # noqa: S101 - asyncio.run made it

    def stop() -> None:
        loop.call_soon_threadsafe(working.cancel)

    with renewed(claim, on_lost=stop) as lost:
        try:
            await _ask_and_keep(claim, part, text)
        except asyncio.CancelledError:
            if lost.is_set():
                raise ClaimLost from None
            raise


async def _ask_and_keep(claim: Claim, part: JobPart, text: str) -> None:
    source = Source(
        request_id=f"job_{part.job_id.hex}_{part.number}_{part.attempts}",
        surface=UsageRecord.Surface.JOB.value,
        started=time.perf_counter(),
    )
    threads = BlockingThreads(1, name="job")
    runtime = await Runtime.start()
    try:
        caller = await runtime.admission.identify_by(identity_for(part.job))
        caller.identity.require("speech")
        speech = await speak(runtime, caller, part.job.body_of(text), source)

        async def keep(recording: Recording) -> None:
            await threads.run(lambda: _keep(claim, part, speech, recording))

        await speech.whole(keep)
        record = await _settled(speech.admitted.record_id, threads)
        await threads.run(lambda: _finish(claim, part, record, speech))
    finally:
        await runtime.close()
        threads.stop()


def _keep(claim: Claim, part: JobPart, speech: Speech, recording: Recording) -> None:
    """Stores the audio where the row says. Raises `ClaimLost` where another task has the part by now."""
    samples = samples_of(recording.data)
    edges = edges_of(samples, speech.sample_rate)
    earlier = part.media_key if part.has_media else None
    kept = claim.rows.filter(state=JobPart.State.QUEUED).update(
        state=JobPart.State.KEPT,
        record_id=speech.admitted.record_id,
        has_media=True,
        sample_rate=speech.sample_rate,
        samples=len(samples),
        lead=edges.lead,
        tail=edges.tail,
        ends_in_sound=edges.ends_in_sound,
    )
    if not kept:
        raise ClaimLost
    if earlier:
        media.delete(earlier)
    part.record_id = speech.admitted.record_id
    media.save(part.media_key, recording.data)


async def _settled(record_id: UUID, threads: BlockingThreads) -> UsageRecord:
    """The record once it is closed in the database; the ledger writes it within milliseconds."""
    give_up_at = time.monotonic() + _SETTLED_SECONDS
    while True:
        record: UsageRecord | None = await threads.run(
            lambda: UsageRecord.objects.filter(pk=record_id).first()
        )
        if record is not None and record.state != UsageRecord.State.OPEN:
            return record
        if time.monotonic() > give_up_at:
            raise Unsettled("The usage of this part is not written yet.")
        await asyncio.sleep(_LOOK_SECONDS)


def _is_made(claim: Claim, part: JobPart) -> bool:
    """Whether an earlier attempt came to its end; what it left half done is forgotten."""
    assert part.record_id is not None  # noqa: S101 - a constraint of the table
    record = UsageRecord.objects.filter(pk=part.record_id).first()
    if record is not None and record.state == UsageRecord.State.OPEN:
        raise Unsettled(
            "An earlier attempt at this part is still to be settled.", retry_after_seconds=RECONCILED_SECONDS
        )
    if record is not None and record.state == UsageRecord.State.OK:
        _finish(claim, part, record, None)
        return True
    claim.rows.update(state=JobPart.State.QUEUED)
    return False


def _finish(claim: Claim, part: JobPart, record: UsageRecord, speech: Speech | None) -> None:
    """The part is done, and the job further. Where its record was refused, the part is to be made anew."""
    if record.state != UsageRecord.State.OK:
        claim.rows.update(state=JobPart.State.QUEUED)
        raise Unavailable("The usage of this part could not be written.", code=record.error_code or None)
    with transaction.atomic():
        done = claim.rows.filter(state=JobPart.State.KEPT).update(
            state=JobPart.State.DONE,
            characters_charged=record.characters_charged,
            claimed_by=None,
            claimed_until=None,
        )
        if not done:
            raise ClaimLost
        part.refresh_from_db(fields=["samples", "sample_rate"])
        _advance(
            part,
            characters_charged=F("characters_charged") + record.characters_charged,
            audio_ms=F("audio_ms") + part.audio_ms,
            **(_settled_choice(part.job, speech) if speech else {}),
        )


def _settled_choice(job: SpeechJob, speech: Speech) -> dict[str, str]:
    """What was left open when the job was made: its first part decides, as a default may change later."""
    choice = {"model": speech.choice.model, "voice": speech.choice.voice}
    return {name: value for name, value in choice.items() if value and not getattr(job, name)}


def _skip(claim: Claim, part: JobPart, error: CannotSpeak) -> None:
    """As within one request, what has no sounds for the engine is left out."""
    logger.info("part skipped", job=str(part.job_id), part=part.number, reason=error.message)
    with transaction.atomic():
        skipped = claim.rows.filter(state=JobPart.State.QUEUED).update(
            state=JobPart.State.SKIPPED, claimed_by=None, claimed_until=None
        )
        if not skipped:
            raise ClaimLost
        _advance(part)


def _advance(part: JobPart, **more: object) -> None:
    SpeechJob.objects.filter(pk=part.job_id).update(
        characters_done=F("characters_done") + part.characters,
        parts_done=F("parts_done") + 1,
        tries=0,
        waits_for="",
        waiting_since=None,
        **more,
    )
