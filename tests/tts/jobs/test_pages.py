"""The pages of jobs: what they show, what they refuse, and whose jobs they are."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Membership, User
from apps.core import media
from apps.tts.jobs import words
from apps.tts.jobs.models import JobPart, JobText, SpeechJob
from apps.tts.jobs.services import MAX_CHARACTERS
from tests.console.deployed import deployed
from tests.tts.jobs.customer import Customer, fresh
from tests.tts.jobs.rows import job_rows
from tests.voices.recordings import clone


@pytest.fixture
def client(anna: Customer) -> Client:
    return signed_in(anna.owner)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


def job_of(customer: Customer, **fields: Any) -> SpeechJob:
    return job_rows(customer.organization, **fields)[0]


def completed(customer: Customer, **fields: Any) -> SpeechJob:
    """With a file that is there."""
    now = timezone.now()
    values = {
        "state": "completed",
        "started_at": now - timedelta(seconds=90),
        "ended_at": now,
        "expires_at": now + timedelta(days=7),
        "result_key": "jobs/some/file.mp3",
        "result_bytes": 2_000,
    }
    media.save("jobs/some/file.mp3", bytes(range(250)) * 8)
    return job_of(customer, **values | fields)


def test_without_jobs_the_page_teaches_how_to_make_one(client: Client) -> None:
    html = page(client, "/jobs")
    assert "No jobs yet" in html
    assert html.count("http://testserver/api/jobs") >= 3
    assert 'href="/jobs/new"' in html
    assert "data-refresh" not in html


def test_the_list_shows_each_with_its_state_and_how_far_it_is(client: Client, anna: Customer) -> None:
    running = job_of(anna, title="The ferry")
    failed = job_of(anna, title="", state="failed", ended_at=timezone.now(), error_code="x")
    html = page(client, "/jobs")
    assert f'href="/jobs/{running.pk}"' in html
    assert "The ferry" in html
    assert f"Job {str(failed.pk)[-6:]}" in html
    assert "one part of it" in html, "the beginning of the text"
    assert re.search(r'<progress class="progress" data-state="running" max="1" value="0.\d+"', html)
    assert 'id="job-list" data-refresh' in html
    html = page(client, "/jobs?state=failed")
    assert "The ferry" not in html
    assert "data-refresh" not in html
    assert "No job in this state" in page(client, "/jobs?state=cancelled")
    assert "The ferry" in page(client, "/jobs?state=nonsense")


def test_the_queries_of_the_list_do_not_grow(
    client: Client, anna: Customer, django_assert_num_queries: Any
) -> None:
    for _ in range(12):
        job_rows(anna.organization, anna.key())
    with django_assert_num_queries(5):
        client.get("/jobs")


def test_a_running_job_keeps_itself_fresh_and_can_be_cancelled(client: Client, anna: Customer) -> None:
    job = job_of(anna, started_at=timezone.now() - timedelta(seconds=60))
    html = page(client, f"/jobs/{job.pk}")
    assert 'id="job-now" data-refresh="1000" data-refresh-end="reload"' in html
    assert "1 of 2" in html
    assert "It is being spoken." in html
    answer = client.post(f"/jobs/{job.pk}/cancel", follow=True)
    assert "is cancelled" in answer.content.decode()
    assert fresh(job).state == "cancelled"
    assert "data-refresh" not in page(client, f"/jobs/{job.pk}")
    assert client.get(f"/jobs/{job.pk}/cancel").status_code == 405


def test_one_that_waits_says_for_what(client: Client, anna: Customer) -> None:
    later = timezone.now() + timedelta(seconds=30)
    job = job_of(anna, waits_for="system_busy", waiting_since=timezone.now(), not_before=later)
    html = page(client, f"/jobs/{job.pk}")
    assert words.why_it_waits("system_busy") in html
    assert "It waits." in html


def test_one_that_failed_says_why_and_what_to_do(client: Client, anna: Customer) -> None:
    now = timezone.now()
    job = job_of(
        anna,
        state="failed",
        ended_at=now,
        expires_at=now + timedelta(days=7),
        error_code="quota_exceeded",
        error_message="Nothing is left of this month.",
    )
    html = page(client, f"/jobs/{job.pk}")
    assert "Nothing is left of this month." in html
    assert words.what_to_do("quota_exceeded") in html
    assert "Resume" in html
    assert "goes on" in client.post(f"/jobs/{job.pk}/resume", follow=True).content.decode()
    assert fresh(job).state == "queued"
    answer = client.post(f"/jobs/{job.pk}/resume", follow=True)
    assert "only one that failed can be resumed" in answer.content.decode()
    SpeechJob.objects.update(state="failed", ended_at=now, expires_at=now, error_code="quota_exceeded")
    html = page(client, f"/jobs/{job.pk}")
    assert "no longer kept" in html
    assert "/resume" not in html


def test_one_that_is_done_is_played_and_fetched(client: Client, anna: Customer) -> None:
    job = completed(anna, title="The ferry")
    html = page(client, f"/jobs/{job.pk}")
    assert f'data-src="/jobs/{job.pk}/audio"' in html
    assert f'href="/jobs/{job.pk}/audio?download"' in html
    assert "/media/" in html, "a signed link to take along"
    whole = client.get(f"/jobs/{job.pk}/audio")
    assert (whole["Content-Type"], whole["Accept-Ranges"]) == ("audio/mpeg", "bytes")
    assert len(b"".join(whole.streaming_content)) == 2_000  # type: ignore[attr-defined]
    assert whole["Content-Disposition"].startswith("inline")
    part = client.get(f"/jobs/{job.pk}/audio?download", headers={"Range": "bytes=10-19"})
    assert b"".join(part.streaming_content) == bytes(range(10, 20))  # type: ignore[attr-defined]
    assert (part.status_code, part["Content-Disposition"]) == (206, 'attachment; filename="The-ferry.mp3"')
    assert "Browsers do not play" in page(client, f"/jobs/{completed(anna, format='mulaw').pk}")


def test_after_its_time_the_file_is_gone(client: Client, anna: Customer) -> None:
    job = completed(anna, expires_at=timezone.now())
    html = page(client, f"/jobs/{job.pk}")
    assert "is gone" in html
    assert "/audio" not in html
    assert client.get(f"/jobs/{job.pk}/audio").status_code == 404
    assert client.get(f"/jobs/{job_of(anna).pk}/audio").status_code == 404


def test_parts_and_text_have_tabs(client: Client, anna: Customer) -> None:
    job = job_of(anna)
    html = page(client, f"/jobs/{job.pk}?tab=parts")
    assert html.count("<tr>") == 3
    assert str(JobPart.objects.get(job=job, number=1).record_id)[:10] in html
    assert "Another part of it." in page(client, f"/jobs/{job.pk}?tab=text")
    JobText.objects.filter(pk=job.pk).update(text="<b>" + "x" * 30_000)
    html = page(client, f"/jobs/{job.pk}?tab=text")
    assert "&lt;b&gt;" in html
    assert "And 10\u202f003 characters more." in html
    JobText.objects.all().delete()
    assert "The text is erased" in page(client, f"/jobs/{job.pk}?tab=text")
    JobPart.objects.all().delete()
    assert "No parts yet" in page(client, f"/jobs/{job.pk}?tab=parts")


def new(client: Client, text: str, **fields: str) -> Any:
    """Sent as a browser sends a form."""
    told = {"title": "", "voice": "", "format": "mp3", "speed": "1", "normalize": "auto"}
    body = urlencode({"text": text, "unknown_tags": "speak", **told, **fields})
    return client.post("/jobs/new", body, content_type="application/x-www-form-urlencoded")


def test_a_job_is_made_by_the_form(client: Client, anna: Customer) -> None:
    deployed("shared-cpu", model="hibari", voices=["heart", "kore"])
    html = page(client, "/jobs/new")
    assert '<optgroup label="hibari">' in html
    assert '<option value="hibari/kore">kore</option>' in html
    answer = new(client, "One.\r\n\r\nTwo.", title="Mine", voice="hibari/kore", format="opus", speed="1.25")
    job = SpeechJob.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job.pk}")
    assert (job.title, job.model, job.voice, job.format, job.speed) == (
        "Mine",
        "hibari",
        "kore",
        "opus",
        1.25,
    )
    assert (job.key, job.created_by, job.mode) == (None, anna.owner, "live")
    assert (job.source.text, job.characters) == ("One.\n\nTwo.", 10)


def test_ones_own_voices_are_offered_and_nobody_elses(client: Client, anna: Customer, bert: Customer) -> None:
    mine = clone(anna.organization, anna.owner, name="Mine")
    clone(bert.organization, bert.owner, name="Theirs")
    deployed("secret", model="secret", voices=["whisper"], organization=bert.organization)
    cloner = deployed("cloner", model="chatterbox", voices=["warm"], organization=anna.organization)
    cloner.capabilities["features"] = ["clone"]
    cloner.save()
    html = page(client, "/jobs/new")
    assert f'<option value="chatterbox/{mine.pk}">Mine</option>' in html
    assert "Theirs" not in html
    assert "whisper" not in html
    assert new(client, "Hello.", voice="secret/whisper").status_code == 400
    assert new(client, "Hello.", voice=f"chatterbox/{mine.pk}").status_code == 302
    job = SpeechJob.objects.get()
    assert (job.model, job.voice) == ("chatterbox", str(mine.pk))


def test_a_member_may_make_one_as_in_the_playground(anna: Customer) -> None:
    user = User.objects.create_user("member@example.com", "correct horse battery")
    Membership.objects.create(organization=anna.organization, user=user, role="member")
    member = signed_in(user)
    assert new(member, "Hello.").status_code == 302
    job = SpeechJob.objects.get()
    assert "Delete job" not in page(member, f"/jobs/{job.pk}")
    assert member.get(f"/jobs/{job.pk}/delete").status_code == 403


@pytest.mark.parametrize(
    ("text", "fields", "words"),
    [
        ("", {}, "This field is required."),
        (" \r\n ", {}, "The text is empty."),
        ("…", {}, "There is nothing in this text to speak."),
        ("Hi.", {"speed": "9"}, "less than or equal to 2"),
        ("Hi.", {"format": "ogg"}, "not one of the available choices"),
        ("Hi [dance].", {"unknown_tags": "error"}, "[dance] is not a tag"),
    ],
)
def test_what_is_wrong_is_said_by_its_field_and_nothing_is_lost(
    client: Client, text: str, fields: dict[str, str], words: str
) -> None:
    answer = new(client, text, title="Kept title", **fields)
    assert answer.status_code == 400
    html = answer.content.decode()
    assert words in html
    assert 'value="Kept title"' in html
    assert not SpeechJob.objects.exists()


def test_the_longest_text_fits_and_a_longer_one_comes_back(client: Client) -> None:
    assert new(client, "👋a" * (MAX_CHARACTERS // 2)).status_code == 302
    answer = new(client, "a" * (MAX_CHARACTERS + 1))
    assert answer.status_code == 400
    assert "500001 characters" in answer.content.decode()
    answer = new(client, "👋" * 510_000)
    assert (answer.status_code, answer["Location"]) == (302, "/jobs/new")
    assert "at most 500,000 characters" in page(client, "/jobs/new")
    assert SpeechJob.objects.count() == 1


def test_a_forged_form_is_refused(anna: Customer) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna.owner)
    job = job_of(anna)
    for path in ("/jobs/new", f"/jobs/{job.pk}/cancel", f"/jobs/{job.pk}/resume", f"/jobs/{job.pk}/delete"):
        assert client.post(path, {"text": "Hello."}).status_code == 403, path
    assert SpeechJob.objects.count() == 1


def test_deleting_asks_for_the_name(client: Client, anna: Customer) -> None:
    job = completed(anna, title="The ferry")
    assert "Type The ferry to confirm" in page(client, f"/jobs/{job.pk}/delete")
    assert client.post(f"/jobs/{job.pk}/delete", {"name": "ferry"}).status_code == 400
    answer = client.post(f"/jobs/{job.pk}/delete", {"name": "The ferry"}, follow=True)
    assert "The ferry is deleted." in answer.content.decode()
    assert client.get(f"/jobs/{job.pk}").status_code == 404


def test_nobody_sees_anothers(client: Client, anna: Customer, bert: Customer) -> None:
    job = completed(bert, title="Secret")
    assert "Secret" not in page(client, "/jobs")
    for path in ("", "/audio", "/delete"):
        assert client.get(f"/jobs/{job.pk}{path}").status_code == 404
    for path in ("/cancel", "/resume", "/delete"):
        assert client.post(f"/jobs/{job.pk}{path}", {"name": "Secret"}).status_code == 404
    assert Client().get(f"/jobs/{job.pk}").status_code == 302
