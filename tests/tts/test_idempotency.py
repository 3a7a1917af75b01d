"""Idempotency-Key: a call that is made once, and answered with the same however often it is sent."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from django.conf import settings
from django.db.models import F
from django.test import Client

from apps.accounts.services import bump_policy
from apps.deployments.models import Worker
from apps.tts.models import IdempotentAnswer
from apps.usage.models import OrganizationLimits, SpeechProcess
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import SENTENCES, Server, Tenant, deploy, test_database_url, until, wait_for_route

LONG = "A tone of some length, and then some more of it. " * 12
KEY = "order-4711"
# What belongs to one answer of a door and to no other.
OF_THE_CALL = {"x-request-id", "date", "idempotent-replayed", "transfer-encoding", "content-length"}


def ask(tenant: Tenant, text: str = SENTENCES, *, idempotency_key: str = KEY, **body: Any) -> httpx.Response:
    return tenant.post({"text": text, **body}, **{"Idempotency-Key": idempotency_key})


def code_of(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


def kept_headers(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in OF_THE_CALL}


@contextlib.contextmanager
def streaming(tenant: Tenant, *, idempotency_key: str = KEY) -> Iterator[httpx.Response]:
    """A streamed answer whose first audio has arrived."""
    request = tenant.client.build_request(
        "POST",
        "/generate",
        json={"text": LONG, "stream": True},
        headers={"X-API-Key": tenant.live, "Idempotency-Key": idempotency_key},
    )
    response = tenant.client.send(request, stream=True)
    try:
        assert response.status_code == 200, response.read()
        yield response
    finally:
        response.close()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_same_call_again_gets_the_same_answer_for_nothing(
    acme: Tenant, cpu: Worker, stream: bool
) -> None:
    first = ask(acme, stream=stream)
    again = ask(acme, stream=stream)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert first.content[:4] == b"RIFF"
    assert kept_headers(again) == kept_headers(first)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert len(acme.records()) == 1


def test_what_is_given_again_takes_nothing_from_the_rate(acme: Tenant, cpu: Worker) -> None:
    OrganizationLimits.objects.create(organization=acme.organization, requests_per_minute=1)
    bump_policy(organization_id=acme.organization.id)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(f"{{{acme.organization.id}}}:rate:live")
    assert [ask(acme).status_code for _ in range(5)] == [200] * 5
    assert acme.generate("Another.").status_code == 429


def test_without_a_key_every_call_is_made(acme: Tenant, cpu: Worker) -> None:
    for _ in range(2):
        assert "Idempotent-Replayed" not in acme.generate().headers
    assert len(acme.records()) == 2
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize("changed", ["body", "query"])
def test_the_same_key_with_another_request_is_a_conflict(acme: Tenant, cpu: Worker, changed: str) -> None:
    assert ask(acme).status_code == 200
    if changed == "body":
        response = ask(acme, f"{SENTENCES} ")
    else:
        headers = {"X-API-Key": acme.live, "Idempotency-Key": KEY}
        response = acme.client.post("/generate?x=1", json={"text": SENTENCES}, headers=headers)
    assert response.status_code == 409
    assert code_of(response) == "idempotency_mismatch"
    assert response.headers["X-Should-Retry"] == "false"
    assert len(acme.records()) == 1


def test_a_key_belongs_to_the_api_key_that_sends_it(acme: Tenant, cpu: Worker) -> None:
    ask(acme)
    other = acme.post({"text": "Another text."}, key=acme.test, **{"Idempotency-Key": KEY})
    assert other.status_code == 200
    assert "Idempotent-Replayed" not in other.headers


def test_while_the_first_is_being_made_others_are_told_to_wait(acme: Tenant, tone: Worker) -> None:
    with streaming(acme) as response:
        chunks = response.iter_raw()
        received = next(chunks)
        meanwhile = ask(acme, LONG, stream=True)
        other = ask(acme, "Something else.")
        received += b"".join(chunks)
    assert meanwhile.status_code == 409
    assert code_of(meanwhile) == "idempotency_in_progress"
    assert int(meanwhile.headers["Retry-After"]) >= 1
    assert code_of(other) == "idempotency_mismatch"
    assert ask(acme, LONG, stream=True).content == received
    assert len(acme.records()) == 1


def test_of_many_at_once_one_is_made(acme: Tenant, cpu: Worker) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ask(acme, "One for all."), range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {code_of(answer) for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    made = [a for a in answers if a.status_code == 200 and "Idempotent-Replayed" not in a.headers]
    assert len(made) == 1
    assert len(acme.records()) == 1


def test_a_refusal_frees_the_key(acme: Tenant, cpu: Worker) -> None:
    for refused, status in (
        ({"text": ""}, 400),
        ({"text": "Hi.", "voice": "nobody"}, 404),
        ({"text": "👋👋"}, 422),
    ):
        assert acme.post(refused, **{"Idempotency-Key": KEY}).status_code == status
        assert not IdempotentAnswer.objects.exists()
    assert ask(acme).status_code == 200


def test_a_client_that_leaves_frees_the_key(acme: Tenant, tone: Worker, tone_worker: WorkerProcess) -> None:
    with streaming(acme) as response:
        next(response.iter_raw())
    until(lambda: not IdempotentAnswer.objects.exists(), what="the key to be free")
    with pytest.raises(httpx.ReadTimeout):
        acme.client.post(
            "/generate",
            json={"text": LONG},
            headers={"X-API-Key": acme.live, "Idempotency-Key": KEY},
            timeout=httpx.Timeout(5, read=0.5),
        )
    until(lambda: not IdempotentAnswer.objects.exists(), what="the key to be free")
    tone_worker.wait_until_idle()
    assert ask(acme, "Short.").status_code == 200


def test_a_cut_frees_the_key(acme: Tenant, tmp_path: Path, tone_worker: WorkerProcess) -> None:
    with running_worker(tmp_path, ENGINE="tone", THREADS="1", TONE_REAL_TIME_FACTOR="0.2") as fragile:
        deploy(fragile, name="fragile")
        wait_for_route(acme, model="tone")
        with streaming(acme) as response:
            chunks = response.iter_raw()
            next(chunks)
            fragile.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                list(chunks)
    tone_worker.wait_until_idle()
    deploy(tone_worker, name="sturdy")
    until(lambda: ask(acme, "Once more.").status_code == 200, what="the retry")
    assert ask(acme, "Once more.").headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside", "ключ"], ids=["empty", "long", "tab", "other"])
def test_keys_that_are_none(acme: Tenant, cpu: Worker, key: str) -> None:
    headers = {b"X-API-Key": acme.live.encode(), b"Idempotency-Key": key.encode()}
    response = acme.client.post("/generate", json={"text": "Hi."}, headers=headers)
    assert response.status_code == 400
    assert code_of(response) == "invalid_idempotency_key"
    assert response.json()["error"]["param"] == "Idempotency-Key"


def test_who_may_not_speak_learns_nothing_of_kept_answers(acme: Tenant, cpu: Worker) -> None:
    ask(acme)
    response = acme.post({"text": SENTENCES}, key="vf_live_" + "0" * 36, **{"Idempotency-Key": KEY})
    assert response.status_code == 401


def test_after_a_day_the_key_is_new(acme: Tenant, cpu: Worker) -> None:
    ask(acme)
    IdempotentAnswer.objects.update(expires_at=F("created_at"))
    again = ask(acme, "Something else by now.")
    assert again.status_code == 200
    assert "Idempotent-Replayed" not in again.headers
    assert len(acme.records()) == 2
    assert IdempotentAnswer.objects.count() == 1


def test_an_answer_too_large_to_be_kept_is_not_made_again(acme: Tenant, tmp_path: Path) -> None:
    with running_worker(tmp_path, ENGINE="tone", THREADS="1") as quick:
        deploy(quick, name="quick")
        wait_for_route(acme, model="tone")
        text = ("A tone of some length. " * 250)[:4990]
        first = ask(acme, text, stream=True, sample_rate=48_000)
        assert len(first.content) > 20 * 1024 * 1024
        again = ask(acme, text, stream=True, sample_rate=48_000)
    assert again.status_code == 409
    assert code_of(again) == "idempotency_answer_too_large"
    assert again.headers["X-Should-Retry"] == "false"
    assert len(acme.records()) == 1


def test_an_answer_whose_file_is_gone_is_not_made_again(acme: Tenant, cpu: Worker) -> None:
    ask(acme)
    (acme.server.folder / "media" / IdempotentAnswer.objects.get().media_key).unlink()
    again = ask(acme)
    assert again.status_code == 409
    assert code_of(again) == "idempotency_answer_lost"


def test_what_is_kept_is_encrypted(acme: Tenant, cpu: Worker) -> None:
    answer = ask(acme)
    kept = (acme.server.folder / "media" / IdempotentAnswer.objects.get().media_key).read_bytes()
    assert b"RIFF" not in kept
    assert len(kept) > len(answer.content)


def test_in_the_playground_there_are_no_keys(acme: Tenant, cpu: Worker) -> None:
    browser = Client()
    browser.force_login(acme.owner)
    browser.get("/playground")
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    headers = {"X-CSRFToken": cookies["csrftoken"], "Referer": acme.server.url, "Idempotency-Key": KEY}
    for _ in range(2):
        response = httpx.post(
            f"{acme.server.url}/playground/speech", json={"text": "Hi."}, headers=headers, cookies=cookies
        )
        assert response.status_code == 200, response.text
        assert "Idempotent-Replayed" not in response.headers
    assert not IdempotentAnswer.objects.exists()


@contextlib.contextmanager
def own_server(acme: Tenant, folder: Path) -> Iterator[tuple[Server, Tenant]]:
    """One that a test may kill, served by the same door as the others."""
    lean = "false" if "SPEECH_LEAN_DOOR" in acme.server.settings else "true"
    running = Server(folder, test_database_url(), SPEECH_LEAN_DOOR=lean)
    try:
        running.wait_until_up()
        with httpx.Client(base_url=running.url, timeout=30) as client:
            yield running, Tenant(running, acme.organization, acme.owner, acme.live, acme.test, client)
    finally:
        running.stop()


@pytest.mark.slow
def test_what_was_kept_outlives_a_restart(acme: Tenant, cpu: Worker, tmp_path: Path) -> None:
    with own_server(acme, tmp_path) as (server, tenant):
        first = ask(tenant)
        server.stop()
        server.restart()
        again = ask(tenant)
    assert again.content == first.content
    assert len(acme.records()) == 1


@pytest.mark.slow
def test_a_killed_process_leaves_a_key_that_is_taken_over(acme: Tenant, tone: Worker, tmp_path: Path) -> None:
    with own_server(acme, tmp_path) as (server, tenant):
        with streaming(tenant) as response:
            chunks = response.iter_raw()
            next(chunks)
            os.killpg(server.process.pid, signal.SIGKILL)
            with pytest.raises(httpx.TransportError):
                list(chunks)
        server.stop()
        server.restart()
        # Its last heartbeat is fresh: as far as anybody can know, it is still at it.
        assert code_of(ask(tenant, "Short.")) == "idempotency_mismatch"
        assert code_of(ask(tenant, LONG, stream=True)) == "idempotency_in_progress"
        owner = IdempotentAnswer.objects.get().owner_id
        SpeechProcess.objects.filter(pk=owner).update(heartbeat_at=F("heartbeat_at") - timedelta(seconds=31))
        IdempotentAnswer.objects.update(created_at=F("created_at") - timedelta(seconds=31))
        assert ask(tenant, "Short.").status_code == 200
        assert ask(tenant, "Short.").headers["Idempotent-Replayed"] == "true"


def test_after_longer_than_any_request_takes_the_key_is_taken_over(acme: Tenant, tone: Worker) -> None:
    with streaming(acme) as response:
        next(response.iter_raw())
        IdempotentAnswer.objects.update(created_at=F("created_at") - timedelta(minutes=14))
        assert ask(acme, "Short.").status_code == 200
    # Whoever made the first one does not touch what was kept since.
    acme.settled()
    assert ask(acme, "Short.").headers["Idempotent-Replayed"] == "true"


def test_where_nothing_can_be_stored_the_answer_is_given_and_not_charged_twice(
    acme: Tenant, cpu: Worker, tmp_path: Path
) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "idempotency").write_text("no folder")
    with own_server(acme, tmp_path) as (_, tenant):
        assert ask(tenant).status_code == 200
        again = ask(tenant)
    assert again.status_code == 409
    assert code_of(again) == "idempotency_answer_lost"
    assert len(acme.records()) == 1
