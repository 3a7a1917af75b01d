"""Jobs through the API and a real Celery worker: whole, killed, cancelled, beside other speech."""

from __future__ import annotations

import io
import time
from collections import Counter
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from apps.console.docs.samples import samples_of
from apps.deployments.models import Worker
from apps.tts.jobs.models import JobPart, SpeechJob
from apps.usage.models import UsageRecord
from tests.e2e.docs_samples import run_sample
from tests.platform import Tenant, until
from tests.tts.jobs.celery_worker import CeleryWorker
from tests.tts.jobs.texts import prose

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def ask(tenant: Tenant, text: str, **body: Any) -> str:
    answer = tenant.api("POST", "/api/jobs", json={"text": text, **body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def told(tenant: Tenant, job_id: str) -> dict[str, Any]:
    answer = tenant.api("GET", f"/api/jobs/{job_id}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def ended(tenant: Tenant, job_id: str, *, seconds: float = 120) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        job = told(tenant, job_id)
        return job if job["state"] in {"completed", "failed", "cancelled"} else None

    found = until(over, seconds=seconds, what="the job to end")
    assert found is not None
    return found


def assert_charged_once(tenant: Tenant, job_id: str, text: str) -> None:
    """Each part has one record that is ok, all others of the job cost nothing, and no two parts share one."""
    parts = list(JobPart.objects.filter(job_id=job_id))
    assert [part.state for part in parts] == ["done"] * len(parts)
    records = UsageRecord.objects.for_organization(tenant.organization).filter(surface="job")
    ok = {record.pk: record for record in records if record.state == "ok"}
    assert set(ok) == {part.record_id for part in parts}
    assert len(ok) == len(parts)
    assert sum(record.characters_charged for record in records) == len(text)
    assert sum(record.characters_charged for record in ok.values()) == len(text)
    assert Counter(record.state for record in records)["open"] == 0


def test_a_job_from_the_call_to_its_file(acme: Tenant, cpu: Worker, celery: CeleryWorker) -> None:
    text = prose(4_000)
    job_id = ask(acme, text, title="Ferry", format="opus")
    seen = []

    def over() -> bool:
        job = told(acme, job_id)
        seen.append(job["progress"])
        return job["state"] == "completed"

    until(over, seconds=60, what="the job")
    assert seen == sorted(seen)
    assert seen[-1] == 1
    job = told(acme, job_id)
    result = acme.api("GET", f"/api/jobs/{job_id}/result").json()
    assert (result["filename"], result["content_type"]) == ("Ferry.ogg", "audio/ogg;codecs=opus")
    fetched = httpx.get(result["url"])
    assert fetched.status_code == 200
    assert len(fetched.content) == result["bytes"] == job["result_bytes"]
    with av.open(io.BytesIO(fetched.content)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 48 == pytest.approx(job["audio_ms"], abs=30)
    assert_charged_once(acme, job_id, text)
    assert prose(60) not in celery.log()
    assert prose(60) not in acme.server.log()


@pytest.mark.parametrize("after_parts", [0, 3])
def test_a_killed_worker_costs_nothing_and_nothing_is_made_twice(
    acme: Tenant, cpu: Worker, celery: CeleryWorker, after_parts: int
) -> None:
    text = prose(10_000)
    job_id = ask(acme, text, format="mp3")
    until(
        lambda: (job := told(acme, job_id))["state"] == "running" and job["parts_done"] >= after_parts,
        seconds=60,
        what="parts",
    )
    time.sleep(0.3)
    celery.kill()
    made = dict(JobPart.objects.filter(job_id=job_id, state="done").values_list("number", "record_id"))
    assert told(acme, job_id)["state"] == "running"
    celery.start_again()
    assert ended(acme, job_id)["state"] == "completed"
    after = dict(JobPart.objects.filter(job_id=job_id).values_list("number", "record_id"))
    assert {number: after[number] for number in made} == made
    until(lambda: not UsageRecord.objects.filter(state="open").exists(), seconds=60, what="the reconciler")
    assert_charged_once(acme, job_id, text)
    folder = acme.server.folder / "media" / "jobs" / job_id
    until(lambda: [path.suffix for path in folder.iterdir()] == [".mp3"], what="only the file to be left")


def test_a_cancelled_job_stops_within_seconds(acme: Tenant, tone: Worker, celery: CeleryWorker) -> None:
    """A part of tone takes half a minute to make."""
    job_id = ask(acme, prose(6_000), model="tone")
    until(lambda: UsageRecord.objects.filter(state="open").exists(), seconds=60, what="a part")
    began = time.monotonic()
    assert acme.api("POST", f"/api/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    until(lambda: not UsageRecord.objects.filter(state="open").exists(), seconds=25, what="the end")
    assert time.monotonic() - began < 25
    records = UsageRecord.objects.values_list("state", "characters_charged")
    assert set(records) == {("cancelled", 0)}
    assert told(acme, job_id)["characters_charged"] == 0
    until(
        lambda: not SpeechJob.objects.filter(parts__claimed_by__isnull=False).exists(),
        what="the claim to be given back",
    )


def test_two_customers_take_turns_and_others_are_not_held_up(
    acme: Tenant, rival: Tenant, cpu: Worker, celery: CeleryWorker
) -> None:
    mine = [ask(acme, prose(6_000)) for _ in range(3)]
    theirs = ask(rival, prose(3_000))
    until(lambda: told(acme, mine[0])["parts_done"] >= 1, seconds=60, what="a part")
    waits = []
    for _ in range(5):
        began = time.monotonic()
        assert acme.generate("A short text amid long ones.").status_code == 200
        waits.append(time.monotonic() - began)
    assert sorted(waits)[2] < 5
    assert ended(rival, theirs)["state"] == "completed"
    unfinished = [job_id for job_id in mine if told(acme, job_id)["state"] == "running"]
    assert unfinished, "the other's small job did not wait for all of these"
    for job_id in mine:
        assert ended(acme, job_id)["state"] == "completed"


@pytest.mark.parametrize("language", [sample.language for sample in samples_of("jobs", "")])
def test_the_samples_of_the_docs(
    acme: Tenant, cpu: Worker, celery: CeleryWorker, tmp_path: Path, language: str
) -> None:
    run_sample(acme, "jobs", language, folder=tmp_path)
    job = SpeechJob.objects.get(organization=acme.organization)
    assert ended(acme, str(job.pk))["state"] == "completed"
    for file in tmp_path.glob("speech.*"):
        with av.open(str(file)) as container:
            assert sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0)) > 1.5
