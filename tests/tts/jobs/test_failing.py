"""What stops a job, what only makes it wait, and how it goes on from where it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.services import set_suspended
from apps.core import media
from apps.core.errors import Conflict
from apps.deployments.models import Worker
from apps.keys.services import revoke_key, rotate_key
from apps.tts.jobs.claims import Kind, claim_next
from apps.tts.jobs.models import JobPart, SpeechJob
from apps.tts.jobs.services import cancel_job, resume_job
from apps.tts.jobs.working import GIVE_UP_AFTER, MAX_TRIES, carry_out
from apps.usage.models import UsageRecord
from apps.usage.services import set_limits
from tests.tts.jobs.customer import Customer, fresh, work_off, work_once
from tests.tts.jobs.texts import prose

TEXT = prose(750)


@pytest.fixture(autouse=True)
def _small_parts(settings: Any) -> None:
    settings.LIMIT_CHARACTERS_PER_REQUEST = 300


def begun(customer: Customer, *, parts: int = 1, **job: Any) -> SpeechJob:
    """A job of which some parts are made."""
    made = customer.job(TEXT, **job)
    for _ in range(1 + parts):
        assert work_once() is not None
    made = fresh(made)
    assert (made.state, made.parts_done) == ("running", parts)
    return made


def due(job: SpeechJob) -> None:
    SpeechJob.objects.filter(pk=job.pk).update(not_before=timezone.now())


def test_a_revoked_key_stops_its_jobs(anna: Customer, voice: Worker) -> None:
    job = begun(anna)
    revoke_key(key=anna.key(), by=anna.owner)
    work_off()
    job = fresh(job)
    assert (job.state, job.error_code, job.parts_done) == ("failed", "invalid_api_key", 1)
    assert "revoked" in job.error_message
    assert len(anna.records()) == 1


def test_a_rotated_key_does_not(anna: Customer, voice: Worker) -> None:
    job = begun(anna)
    issued = rotate_key(key=anna.key(), overlap_seconds=0, by=anna.owner)
    work_off()
    assert fresh(job).state == "completed"
    assert [r.key_id for r in anna.records()][-1] == issued.key.pk
    revoke_key(key=issued.key, by=anna.owner)
    other = anna.key()
    with pytest.raises(Exception, match="revoked"):
        anna.job("Hello.")
    assert other.pk == job.key_id


def test_a_suspended_organization_stops_and_can_be_resumed(anna: Customer, voice: Worker) -> None:
    job = begun(anna, mode=None)
    set_suspended(organization=anna.organization, suspended=True)
    work_off()
    job = fresh(job)
    assert (job.state, job.error_code) == ("failed", "organization_suspended")
    kept = list(job.parts.filter(state="done").values_list("record_id", flat=True))
    set_suspended(organization=anna.organization, suspended=False)
    resume_job(job=job)
    assert (job.state, job.error_code) == ("queued", "")
    work_off()
    job = fresh(job)
    assert job.state == "completed"
    assert set(kept) <= {r.pk for r in anna.records()}
    assert sum(r.characters_charged for r in anna.records()) == len(TEXT) == job.characters_charged


def test_a_voice_that_is_gone_stops_it(anna: Customer, voice: Worker) -> None:
    job = begun(anna)
    SpeechJob.objects.filter(pk=job.pk).update(voice="gone")
    work_off()
    assert (fresh(job).state, fresh(job).error_code) == ("failed", "voice_not_found")


def test_while_nobody_can_speak_it_waits(anna: Customer, voice: Worker) -> None:
    job = begun(anna)
    Worker.objects.update(state=Worker.State.STARTING)
    assert work_once() is Kind.SPEAK
    job = fresh(job)
    assert (job.state, job.stage, job.waits_for) == ("running", "waiting", "speech_unavailable")
    assert timezone.now() < job.not_before < timezone.now() + timedelta(seconds=90)
    assert work_once() is None
    part = job.parts.get(number=2)
    assert (part.attempts, part.claimed_by) == (0, None)
    Worker.objects.update(state=Worker.State.READY)
    due(job)
    work_off()
    job = fresh(job)
    assert (job.state, job.waits_for, job.waiting_since) == ("completed", "", None)


def test_it_does_not_wait_for_ever(anna: Customer, voice: Worker) -> None:
    job = begun(anna)
    Worker.objects.update(state=Worker.State.STARTING)
    SpeechJob.objects.filter(pk=job.pk).update(
        waiting_since=timezone.now() - GIVE_UP_AFTER - timedelta(minutes=1)
    )
    work_once()
    assert (fresh(job).state, fresh(job).error_code) == ("failed", "speech_unavailable")


def test_others_of_the_organization_go_first(anna: Customer, voice: Worker) -> None:
    """One at once is allowed, and somebody is speaking."""
    set_limits(
        organization=anna.organization,
        requests_per_minute=1,
        concurrent_requests=None,
        characters_per_request=None,
    )
    job = begun(anna)
    assert work_once() is Kind.SPEAK
    job = fresh(job)
    assert (job.state, job.waits_for) == ("running", "rate_limit_exceeded")
    assert job.not_before > timezone.now() + timedelta(seconds=20)


def test_a_worker_that_dies_is_tried_again_and_nothing_is_charged_twice(
    anna: Customer, voice: Worker
) -> None:
    job = begun(anna)
    url = Worker.objects.get().url
    Worker.objects.update(url="http://127.0.0.1:9")
    work_once()
    assert fresh(job).stage == "waiting"
    Worker.objects.update(url=url)
    due(job)
    work_off()
    assert fresh(job).state == "completed"
    assert sum(r.characters_charged for r in anna.records()) == len(TEXT)


def test_a_part_that_fails_again_and_again_ends_the_job(anna: Customer, voice: Worker) -> None:
    job = begun(anna)
    JobPart.objects.filter(job=job, number=2).update(attempts=MAX_TRIES)
    work_once()
    job = fresh(job)
    assert (job.state, job.error_code) == ("failed", "internal_error")
    resume_job(job=job)
    work_off()
    assert fresh(job).state == "completed"


class TestAfterACrash:
    """What the next task finds, at each moment at which the one before may have died."""

    def crashed(self, anna: Customer, *, record_state: str) -> tuple[SpeechJob, JobPart]:
        """Its second part was stored, and the record that it names is in that state."""
        job = begun(anna, parts=2)
        part = job.parts.get(number=2)
        closed_at = None if record_state == "open" else timezone.now()
        charged = part.characters if record_state == "ok" else 0
        UsageRecord.objects.filter(pk=part.record_id).update(
            state=record_state, closed_at=closed_at, characters_charged=charged
        )
        JobPart.objects.filter(pk=part.pk).update(
            state="kept", characters_charged=0, claimed_by=uuid4(), claimed_until=timezone.now()
        )
        first = job.parts.get(number=1)
        SpeechJob.objects.filter(pk=job.pk).update(
            parts_done=1, characters_done=first.characters, characters_charged=first.characters
        )
        return job, part

    def test_what_was_charged_is_found_to_be_done(self, anna: Customer, voice: Worker) -> None:
        job, part = self.crashed(anna, record_state="ok")
        assert work_once() is Kind.SPEAK
        part.refresh_from_db()
        assert (part.state, part.characters_charged) == ("done", part.characters)
        assert len(anna.records()) == 2
        work_off()
        assert fresh(job).state == "completed"
        assert fresh(job).characters_done == len(TEXT)

    def test_what_was_cut_is_made_anew_and_charged_once(self, anna: Customer, voice: Worker) -> None:
        job, part = self.crashed(anna, record_state="cut")
        left_behind = part.media_key
        assert media.exists(left_behind)
        work_off()
        part.refresh_from_db()
        assert part.state == "done"
        assert part.media_key != left_behind
        assert not media.exists(left_behind)
        assert fresh(job).state == "completed"
        assert sum(r.characters_charged for r in anna.records()) == len(TEXT)

    def test_what_is_not_settled_is_waited_for(self, anna: Customer, voice: Worker) -> None:
        job, part = self.crashed(anna, record_state="open")
        assert work_once() is Kind.SPEAK
        assert fresh(job).waits_for == "settlement_pending"
        assert len(anna.records()) == 2
        UsageRecord.objects.filter(pk=part.record_id).update(state="cut", closed_at=timezone.now())
        due(job)
        work_off()
        assert fresh(job).state == "completed"
        assert sum(r.characters_charged for r in anna.records()) == len(TEXT)

    def test_a_task_that_comes_back_late_changes_nothing(self, anna: Customer, voice: Worker) -> None:
        job = begun(anna)
        late = claim_next()
        assert late is not None
        late.rows.update(claimed_until=timezone.now() - timedelta(seconds=1))
        work_off()
        before = [r.pk for r in anna.records()]
        carry_out(late)
        assert [r.pk for r in anna.records()] == before
        assert fresh(job).state == "completed"

    def test_a_file_that_was_half_written_is_written_over(self, anna: Customer, voice: Worker) -> None:
        job = begun(anna)
        while (claim := claim_next()) and claim.kind is Kind.SPEAK:
            carry_out(claim)
        assert claim is not None
        assert claim.kind is Kind.ASSEMBLE
        left_behind = f"jobs/{job.pk}/{claim.owner}.wav"
        claim.rows.update(result_key=left_behind, claimed_until=timezone.now())
        media.save(left_behind, b"half")
        work_off()
        job = fresh(job)
        assert job.state == "completed"
        assert job.result_key != left_behind
        assert not media.exists(left_behind)


def test_a_cancelled_job_ends_and_its_parts_go(anna: Customer, voice: Worker) -> None:
    from apps.tts.jobs.cleaning import remove_parts

    job = begun(anna)
    (part,) = job.parts.filter(state="done")
    cancel_job(job=job)
    cancel_job(job=job)
    assert (job.state, job.characters_charged) == ("cancelled", part.characters)
    assert work_off() == 0
    remove_parts(job.pk)
    assert not media.exists(part.media_key)
    with pytest.raises(Conflict, match="cancelled"):
        resume_job(job=job)


def test_what_is_over_can_be_neither_cancelled_nor_resumed(anna: Customer, voice: Worker) -> None:
    job = anna.job("Hello.")
    work_off()
    for end in (cancel_job, resume_job):
        with pytest.raises(Conflict, match="completed"):
            end(job=fresh(job))


def test_a_part_whose_audio_is_lost_is_not_passed_over(anna: Customer, voice: Worker) -> None:
    job = begun(anna, parts=3)
    media.delete(job.parts.get(number=2).media_key)
    work_off()
    assert (fresh(job).state, fresh(job).error_code) == ("failed", "audio_lost")


def test_a_small_limit_of_the_organization_makes_small_parts(anna: Customer, voice: Worker) -> None:
    set_limits(
        organization=anna.organization,
        requests_per_minute=None,
        concurrent_requests=None,
        characters_per_request=120,
    )
    job = anna.job(prose(600))
    work_off()
    assert fresh(job).state == "completed"
    assert max(part.characters for part in job.parts.all()) <= 120
