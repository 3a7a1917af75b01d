"""Jobs in admin: seen without what they say, cancelled by those who may."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization
from apps.tts.jobs.models import SpeechJob
from tests.admin.act import act
from tests.tts.jobs.rows import job_rows

URL = "/admin/tts/speechjob/"


@pytest.fixture
def job(acme: Organization) -> SpeechJob:
    return job_rows(acme, title="Quarterly secret")[0]


def test_staff_see_how_far_it_is_and_not_what_it_says(staff: Client, job: SpeechJob) -> None:
    SpeechJob.objects.update(waits_for="system_busy")
    for page in (URL, f"{URL}{job.pk}/change/"):
        shown = staff.get(page).content.decode()
        assert str(job.pk) in shown
        assert "system_busy" in shown
        assert "one part of it" not in shown
        assert "Quarterly secret: one" not in shown


def test_it_is_neither_made_nor_changed(staff: Client, job: SpeechJob) -> None:
    assert staff.get(f"{URL}add/").status_code == 403
    assert staff.post(f"{URL}{job.pk}/change/", {"state": "completed"}).status_code == 403


def test_cancelling_from_the_list(staff: Client, acme: Organization, job: SpeechJob) -> None:
    over = job_rows(acme, state="failed", ended_at=timezone.now())[0]
    assert "1 cancelled" in act(staff, URL, "cancel", job, over)
    states = dict(SpeechJob.objects.values_list("pk", "state"))
    assert states == {job.pk: "cancelled", over.pk: "failed"}


def test_cancelling_from_its_page_is_asked_first(staff: Client, job: SpeechJob) -> None:
    page = f"{URL}{job.pk}/cancel_this/"
    assert "ends within seconds" in staff.get(page).content.decode()
    assert SpeechJob.objects.get().state == "running"
    assert staff.post(page, {"_form_submitted": "True"}).status_code == 302
    assert SpeechJob.objects.get().state == "cancelled"
    assert staff.post(page, {"_form_submitted": "True"}).status_code == 302, "once more changes nothing"


def test_only_staff_with_the_right_cancel(clerk: Client, job: SpeechJob) -> None:
    assert clerk.post(f"{URL}{job.pk}/cancel_this/", {"_form_submitted": "True"}).status_code == 403
    assert SpeechJob.objects.get().state == "running"


def test_deleted_ones_are_gone_here_too(staff: Client, job: SpeechJob) -> None:
    SpeechJob.objects.update(deleted_at=timezone.now())
    assert str(job.pk) not in staff.get(URL).content.decode()
