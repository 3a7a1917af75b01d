"""Who works at what: turns, bounds, claims that lapse, and claims that are lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.tts.jobs.claims import CLAIM_SECONDS, Claim, Kind, claim_next, has_work, release, renew, renewed
from apps.tts.jobs.models import JobPart, SpeechJob
from apps.tts.jobs.services import cancel_job, delete_job
from tests.tts.jobs.customer import Customer, fresh


def split(job: SpeechJob, parts: int) -> None:
    """As if its text had been split."""
    size = job.characters // parts
    JobPart.objects.bulk_create(
        JobPart(job=job, number=number, start=(number - 1) * size, stop=number * size)
        for number in range(1, parts + 1)
    )
    SpeechJob.objects.filter(pk=job.pk).update(parts_total=parts, state="running")


def lapse(claim: Claim) -> None:
    claim.rows.update(claimed_until=timezone.now() - timedelta(seconds=1))


def number_of(claim: Claim | None) -> int:
    assert claim is not None
    part: JobPart = claim.rows.get()
    return part.number


def test_a_new_job_is_split_then_spoken_part_by_part_then_assembled(anna: Customer) -> None:
    job = anna.job("Some words. " * 10)
    assert has_work()
    claim = claim_next()
    assert claim is not None
    assert (claim.kind, claim.job_id, claim.part_id) == (Kind.SPLIT, job.pk, None)
    assert (fresh(job).state, fresh(job).tries) == ("running", 1)
    assert claim_next() is None
    assert not has_work()
    release(claim)
    split(job, 3)
    assert [number_of(claim_next()), number_of(claim_next())] == [1, 2]
    assert claim_next() is None, "two at once are the bound of an organization"
    JobPart.objects.update(claimed_until=None, claimed_by=None, state="done", record_id=job.pk)
    SpeechJob.objects.update(parts_done=3)
    claim = claim_next()
    assert claim is not None
    assert claim.kind is Kind.ASSEMBLE


def test_organizations_take_turns_however_many_jobs_they_have(anna: Customer, bert: Customer) -> None:
    for _ in range(5):
        split(anna.job("Some words. " * 10), 10)
    split(bert.job("Some words. " * 10), 10)
    served = []
    for _ in range(8):
        claim = claim_next()
        assert claim is not None
        served.append(SpeechJob.objects.get(pk=claim.job_id).organization_id)
        claim.rows.update(state="done", record_id=claim.job_id, claimed_by=None, claimed_until=None)
    assert served.count(bert.organization.pk) == 4


def test_jobs_of_one_organization_take_turns(anna: Customer) -> None:
    jobs = [anna.job("Some words. " * 10) for _ in range(3)]
    for job in jobs:
        split(job, 10)
    served = []
    for _ in range(6):
        claim = claim_next()
        assert claim is not None
        served.append(claim.job_id)
        claim.rows.update(state="done", record_id=claim.job_id, claimed_by=None, claimed_until=None)
    assert served == [job.pk for job in jobs] * 2


def test_the_bound_of_one_organization_does_not_stop_another(
    anna: Customer, bert: Customer, settings: Any
) -> None:
    settings.JOB_PARTS_AT_ONCE = 1
    split(anna.job("Some words. " * 10), 5)
    split(bert.job("Some words. " * 10), 5)
    first, second = claim_next(), claim_next()
    assert first is not None
    assert second is not None
    assert {first.job_id, second.job_id} == set(SpeechJob.objects.values_list("pk", flat=True))
    assert claim_next() is None


def test_a_claim_that_lapsed_is_anybodys(anna: Customer) -> None:
    split(anna.job("Some words. " * 10), 2)
    dead = claim_next()
    assert dead is not None
    assert renew(dead)
    lapse(dead)
    heir = claim_next()
    assert heir is not None
    assert heir.part_id == dead.part_id
    assert heir.owner != dead.owner
    assert not renew(dead)
    assert renew(heir)
    release(dead)
    assert renew(heir), "who lost a claim takes it from nobody"
    part: JobPart = heir.rows.get()
    assert part.attempts == 2


def test_waiting_jobs_are_passed_over(anna: Customer) -> None:
    job = anna.job("Some words. " * 10)
    SpeechJob.objects.update(not_before=timezone.now() + timedelta(seconds=60))
    assert claim_next() is None
    assert not has_work()
    SpeechJob.objects.update(not_before=timezone.now())
    claim = claim_next()
    assert claim is not None
    assert claim.job_id == job.pk


@pytest.mark.parametrize("end", [cancel_job, delete_job])
def test_a_claim_on_a_job_that_nobody_wants_is_lost(anna: Customer, end: Any) -> None:
    job = anna.job("Some words. " * 10)
    split(job, 2)
    claim = claim_next()
    assert claim is not None
    called = threading.Event()
    with renewed(claim, on_lost=called.set, every_seconds=0.05) as lost:
        assert not lost.wait(0.3)
        end(job=job)
        assert lost.wait(5)
    assert called.is_set()
    assert claim_next() is None


def test_a_claim_is_renewed_for_as_long_as_its_work_takes(anna: Customer) -> None:
    anna.job("Some words. " * 10)
    claim = claim_next()
    assert claim is not None
    claim.rows.update(claimed_until=timezone.now() + timedelta(seconds=0.5))
    with renewed(claim, every_seconds=0.05) as lost:
        assert not lost.wait(0.8)
        assert claim_next() is None
    job: SpeechJob = claim.rows.get()
    assert job.claimed_until is not None
    assert job.claimed_until > timezone.now() + timedelta(seconds=CLAIM_SECONDS / 2)


def test_many_who_ask_at_once_get_work_of_their_own(anna: Customer, bert: Customer, settings: Any) -> None:
    settings.JOB_PARTS_AT_ONCE = 5
    for customer in (anna, bert):
        split(customer.job("Some words. " * 10), 20)
    found: list[Claim | None] = []

    def ask() -> None:
        try:
            found.append(claim_next())
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parts = [claim.part_id for claim in found if claim]
    assert len(parts) == len(set(parts)) == 10
    assert found.count(None) == 6
