"""`/api/jobs`: made, listed, read, cancelled, resumed, fetched and deleted; and every way to be refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import travel

from apps.accounts.models import Membership, Organization, User
from apps.core import media
from apps.deployments.models import Worker
from apps.keys import identity as identities
from apps.keys.services import issue_key
from apps.tts.jobs.models import JobText, SpeechJob
from apps.tts.jobs.services import MAX_ACTIVE
from apps.usage.services import set_limits
from tests.platform import Server, Tenant
from tests.tts.jobs.customer import Customer, fresh, work_off
from tests.tts.jobs.texts import prose
from tests.usage.rows import record


class Api:
    """The views in this process, as a key of somebody."""

    def __init__(self, customer: Customer, mode: str = "live", *, scopes: list[str] | None = None) -> None:
        issued = issue_key(
            organization=customer.organization,
            name=f"api {mode}",
            mode=mode,
            scopes=scopes or ["speech"],
            created_by=customer.owner,
        )
        self.key = issued.key
        self._client = Client(headers={"X-API-Key": issued.secret})

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = "" if body is None else json.dumps(body)
        return self._client.generic(
            method, f"/api/jobs{path}", content, content_type="application/json", headers=headers
        )

    def make(self, text: str = "Hello there.", **body: Any) -> dict[str, Any]:
        answer = self.ask("POST", "", {"text": text, **body})
        assert answer.status_code == 201, answer.content
        made: dict[str, Any] = answer.json()
        return made


def refusal(answer: Any) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "param", "request_id"}
    return answer.status_code, error["code"], error["param"]


@pytest.fixture
def api(anna: Customer, voice: Worker) -> Api:
    return Api(anna)


def test_a_job_is_told_as_it_goes_on(api: Api, anna: Customer, settings: Any) -> None:
    settings.LIMIT_CHARACTERS_PER_REQUEST = 300
    made = api.make(prose(700), title="The  ferry", format="mp3", speed=1.2, seed=7)
    assert made | {"id": "", "created_at": ""} == {
        "id": "",
        "state": "queued",
        "stage": "queued",
        "title": "The ferry",
        "mode": "live",
        "key_id": str(api.key.pk),
        "model": "hibari",
        "voice": "heart",
        "format": "mp3",
        "options": made["options"],
        "characters": 700,
        "characters_done": 0,
        "characters_charged": 0,
        "progress": 0,
        "parts_total": None,
        "parts_done": 0,
        "audio_ms": 0,
        "waits_for": "",
        "error": None,
        "result_bytes": None,
        "expires_at": None,
        "created_at": "",
        "started_at": None,
        "ended_at": None,
        "parts": [],
    }
    assert (made["options"]["speed"], made["options"]["seed"]) == (1.2, 7)
    assert "text" not in json.dumps(made["options"])
    assert refusal(api.ask("GET", f"/{made['id']}/result")) == (409, "job_not_completed", None)
    work_off()
    told = api.ask("GET", f"/{made['id']}").json()
    assert (told["state"], told["progress"], told["characters_charged"]) == ("completed", 1, 700)
    assert [part["state"] for part in told["parts"]] == ["done"] * told["parts_total"]
    assert told["parts"][0]["start"] == 0
    assert told["parts"][-1]["stop"] == 700
    assert [part["usage_id"] for part in told["parts"]] == [str(record.pk) for record in anna.records()]


def test_the_list_is_newest_first_and_filtered_by_state(api: Api) -> None:
    ids = [api.make()["id"] for _ in range(3)]
    assert [job["id"] for job in api.ask("GET", "").json()["results"]] == ids[::-1]
    assert api.ask("POST", f"/{ids[0]}/cancel").json()["state"] == "cancelled"
    assert [job["id"] for job in api.ask("GET", "?state=cancelled").json()["results"]] == [ids[0]]
    assert api.ask("GET", "?state=running").json()["results"] == []
    assert refusal(api.ask("GET", "?state=lost"))[:2] == (400, "invalid_request")
    page = api.ask("GET", "?page_size=2").json()
    assert len(page["results"]) == 2
    assert page["next"]


def test_the_link_gives_the_file_without_a_key_and_ends(api: Api, settings: Any) -> None:
    settings.JOB_LINK_SECONDS = 600
    job_id = api.make("Hello there.", format="flac", title="Hello")["id"]
    work_off()
    told = api.ask("GET", f"/{job_id}/result")
    assert told["Cache-Control"] == "no-store"
    result = told.json()
    assert (result["filename"], result["content_type"]) == ("Hello.flac", "audio/flac")
    path = result["url"].removeprefix(settings.BASE_URL)

    def fetch() -> Any:
        return Client().get(path)

    answer = fetch()
    assert answer.status_code == 200
    data = b"".join(answer.streaming_content)
    assert len(data) == result["bytes"]
    assert data[:4] == b"fLaC"
    assert 'filename="Hello.flac"' in answer["Content-Disposition"]
    with travel(timezone.now() + timedelta(seconds=595)):
        assert fetch().status_code == 200
    with travel(timezone.now() + timedelta(seconds=601)):
        assert fetch().status_code == 404
        assert api.ask("GET", f"/{job_id}/result").json()["url"] != result["url"]


def test_a_link_is_not_longer_than_the_file_is_kept(api: Api, settings: Any) -> None:
    settings.JOB_LINK_SECONDS = 600
    job_id = api.make()["id"]
    work_off()
    SpeechJob.objects.update(expires_at=timezone.now() + timedelta(seconds=100))
    result = api.ask("GET", f"/{job_id}/result").json()
    assert result["expires_at"] <= api.ask("GET", f"/{job_id}").json()["expires_at"]
    SpeechJob.objects.update(expires_at=timezone.now())
    assert refusal(api.ask("GET", f"/{job_id}/result")) == (404, "result_expired", None)


def test_deleted_is_gone_at_once_and_its_files_soon(api: Api) -> None:
    job_id = api.make(title="Secret")["id"]
    work_off()
    job = SpeechJob.objects.get()
    assert media.exists(job.result_key)
    assert api.ask("DELETE", f"/{job_id}").status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/result")):
        assert refusal(api.ask(method, f"/{job_id}{path}"))[:2] == (404, "not_found")
    assert api.ask("GET", "").json()["results"] == []
    assert not JobText.objects.exists()
    assert SpeechJob.objects.get().title == ""
    from apps.tts.jobs.cleaning import tidy

    tidy()
    assert not SpeechJob.objects.exists()
    assert not media.exists(job.result_key)


def test_a_running_job_can_be_deleted(api: Api) -> None:
    job_id = api.make()["id"]
    assert api.ask("DELETE", f"/{job_id}").status_code == 204
    assert work_off() == 0


def test_the_same_call_with_an_idempotency_key_gives_the_same_job(api: Api, anna: Customer) -> None:
    body = {"text": "Hello there.", "title": "Once"}
    key = {"Idempotency-Key": "order-1"}
    first = api.ask("POST", "", body, **key)
    again = api.ask("POST", "", body, **key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    other = api.ask("POST", "", body | {"title": "Twice"}, **key)
    assert refusal(other) == (409, "idempotency_mismatch", None)
    assert refusal(api.ask("POST", "", body, **{"Idempotency-Key": "ключ"}))[:2] == (
        400,
        "invalid_idempotency_key",
    )
    assert Api(anna).ask("POST", "", body, **key).status_code == 201, "another key's is another"
    work_off()
    assert api.ask("POST", "", body, **key).json()["state"] == "completed"
    api.ask("DELETE", f"/{first.json()['id']}")
    assert api.ask("POST", "", body, **key).status_code == 201


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \n "}, "text"),
        ({"text": 7}, "text"),
        ({"text": "nul \x00"}, "text"),
        ({"text": "Hi.", "title": "x" * 201}, "title"),
        ({"text": "Hi.", "title": 7}, "title"),
        ({"text": "Hi.", "title": None}, "title"),
        ({"text": "Hi.", "stream": True}, "stream"),
        ({"text": "Hi.", "format": "ogg"}, "format"),
        ({"text": "Hi.", "format": "mp3", "sample_rate": 8000}, "sample_rate"),
        ({"text": "Hi.", "format": "wav", "bitrate": 64000}, "bitrate"),
        ({"text": "Hi.", "speed": 9}, "speed"),
        ({"text": "Hi.", "normalize": "on", "language": "de"}, "normalize"),
        ({"text": "Hi [dance].", "unknown_tags": "error"}, "text"),
        ({"text": "Hi.", "txet": "Hi."}, "txet"),
        (["Hi."], None),
    ],
)
def test_bad_bodies(api: Api, body: Any, param: str | None) -> None:
    assert refusal(api.ask("POST", "", body)) == (400, "invalid_request", param)
    assert not SpeechJob.objects.exists()


def test_a_text_has_a_bound(api: Api) -> None:
    assert refusal(api.ask("POST", "", {"text": "ab " * 166_667})) == (400, "text_too_long", "text")
    assert api.ask("POST", "", {"text": ("ab " * 166_667)[:500_000]}).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": "👋 … !"}, 422, "cannot_speak"),
        ({"text": "Hi.", "voice": "nobody"}, 404, "voice_not_found"),
        ({"text": "Hi.", "model": "nothing"}, 404, "model_not_found"),
    ],
)
def test_what_cannot_be_spoken_is_refused_at_once(api: Api, body: Any, status: int, code: str) -> None:
    assert refusal(api.ask("POST", "", body))[:2] == (status, code)


def test_a_job_may_be_made_before_anything_can_speak(anna: Customer) -> None:
    made = Api(anna).make()
    assert (made["model"], made["voice"], made["state"]) == ("", "", "queued")


def test_a_job_over_the_quota_is_refused_before_it_begins(api: Api, anna: Customer) -> None:
    limits = {"requests_per_minute": None, "concurrent_requests": None, "characters_per_request": None}
    set_limits(organization=anna.organization, **limits, characters_per_month=1_000)
    record(anna.organization, key=api.key, characters=300, characters_charged=300)
    answer = api.ask("POST", "", {"text": prose(701)})
    assert refusal(answer)[:2] == (429, "quota_exceeded")
    assert answer["x-should-retry"] == "false"
    assert "700 of 1000 are left" in answer.json()["error"]["message"]
    api.make(prose(700))


def test_so_many_jobs_wait_at_once(api: Api, anna: Customer) -> None:
    one = SpeechJob.objects.get(pk=api.make()["id"])
    copies = []
    for _ in range(MAX_ACTIVE - 1):
        copy = SpeechJob.objects.get(pk=one.pk)
        copy.pk, copy._state.adding = uuid4(), True
        copies.append(copy)
    SpeechJob.objects.bulk_create(copies)
    answer = api.ask("POST", "", {"text": "One too many."})
    assert refusal(answer)[:2] == (429, "too_many_jobs")
    assert int(answer["Retry-After"]) > 1


def test_a_key_needs_the_scope_and_sees_its_own_mode(api: Api, anna: Customer, bert: Customer) -> None:
    live = api.make()["id"]
    assert refusal(Api(anna, scopes=["manage"]).ask("GET", ""))[:2] == (403, "missing_scope")
    test, other = Api(anna, "test"), Api(bert)
    for stranger in (test, other):
        assert stranger.ask("GET", "").json()["results"] == []
        for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/resume"), ("GET", "/result")):
            assert refusal(stranger.ask(method, f"/{live}{path}"))[:2] == (404, "not_found")
        assert refusal(stranger.ask("DELETE", f"/{live}"))[:2] == (404, "not_found")
    assert api.ask("GET", f"/{live}").status_code == 200
    assert Api(anna).ask("GET", f"/{live}").status_code == 200, "another key of the organization"


def test_a_test_key_speaks_with_the_cpu_engine_for_nothing(api: Api, anna: Customer) -> None:
    job = SpeechJob.objects.get(pk=Api(anna, "test").make("Hello there.")["id"])
    work_off()
    assert fresh(job).state == "completed"
    (record,) = anna.records()
    assert (record.mode, record.model) == ("test", "hibari")


def test_a_failed_job_is_resumed(api: Api, anna: Customer) -> None:
    job_id = api.make()["id"]
    SpeechJob.objects.update(voice="gone")
    work_off()
    told = api.ask("GET", f"/{job_id}").json()
    assert (told["state"], told["error"]["code"]) == ("failed", "voice_not_found")
    assert told["error"]["message"]
    assert refusal(api.ask("POST", f"/{job_id}/cancel"))[:2] == (409, "conflict")
    SpeechJob.objects.update(voice="heart")
    told = api.ask("POST", f"/{job_id}/resume").json()
    assert (told["state"], told["error"]) == ("queued", None)
    work_off()
    assert api.ask("GET", f"/{job_id}").json()["state"] == "completed"
    assert refusal(api.ask("POST", f"/{job_id}/resume"))[:2] == (409, "conflict")


@pytest.mark.parametrize("path", ["/nonsense", f"/{UUID(int=7)}", f"/{UUID(int=7)}/result"])
def test_unknown_jobs(api: Api, path: str) -> None:
    assert refusal(api.ask("GET", path))[:2] == (404, "not_found")


def test_queries(api: Api, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        job_id = api.make()["id"]
    work_off()
    identities.cache.clear()
    with django_assert_num_queries(3):
        api.ask("GET", "")
    identities.cache.clear()
    with django_assert_num_queries(4):
        api.ask("GET", f"/{job_id}")


def test_a_person_sees_all_jobs_and_makes_them_where_they_manage(
    api: Api, anna: Customer, bert: Customer
) -> None:
    live, test = api.make()["id"], Api(anna, "test").make()["id"]
    owner = Client()
    owner.force_login(anna.owner)
    assert {job["id"] for job in owner.get("/api/jobs").json()["results"]} == {live, test}
    made = owner.post("/api/jobs", {"text": "Hello."}, content_type="application/json")
    assert made.status_code == 201
    assert (made.json()["key_id"], made.json()["mode"]) == (None, "live")
    assert SpeechJob.objects.get(pk=made.json()["id"]).created_by == anna.owner
    member = membership_of(anna.organization, "member@example.com")
    assert member.get(f"/api/jobs/{live}").status_code == 200
    assert member.post("/api/jobs", {"text": "Hi."}, content_type="application/json").status_code == 403
    stranger = Client()
    stranger.force_login(bert.owner)
    assert stranger.get(f"/api/jobs/{live}").status_code == 404
    assert Client().get("/api/jobs").status_code == 401


def membership_of(organization: Organization, email: str) -> Client:
    user = User.objects.create_user(email, "correct horse battery")
    Membership.objects.create(organization=organization, user=user, role="member")
    client = Client()
    client.force_login(user)
    return client


class TestThroughTheServer:
    def test_the_longest_text_in_its_longest_form_fits(self, acme: Tenant, server: Server) -> None:
        text = "\\ud83d\\udc4b" * 249_999 + "\\u0434a"
        body = f'{{"text": "{text}"}}'.encode()
        assert len(body) > 2_999_000
        headers = {"X-API-Key": acme.live, "Content-Type": "application/json"}
        answer = acme.client.post("/api/jobs", content=body, headers=headers)
        assert answer.status_code == 201, answer.text
        assert answer.json()["characters"] == 250_001

    def test_larger_bodies_are_refused_there_and_elsewhere_sooner(self, acme: Tenant) -> None:
        headers = {"X-API-Key": acme.live, "Content-Type": "application/json"}
        for path, size in (("/api/jobs", 6_200_000), ("/api/normalize", 1_100_000)):
            answer = acme.client.post(path, content=b'{"text": "' + b"x" * size, headers=headers)
            assert answer.status_code == 413, path
