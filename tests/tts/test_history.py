"""What a history keeps of the requests of an organization that asked for one."""

from __future__ import annotations

import io
import struct
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from apps.accounts.services import set_history_days
from apps.deployments.models import Worker
from apps.keys.models import ApiKey
from apps.tts.models import HistoryItem
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import SENTENCES, Tenant, deploy, until, wait_for_route

LONG = "A tone of some length, and then some more of it. " * 40


@pytest.fixture
def keeping(acme: Tenant, cpu: Worker) -> Tenant:
    set_history_days(organization=acme.organization, days=30)
    return acme


def kept(tenant: Tenant, count: int = 1) -> HistoryItem:
    """The newest item, once there are so many."""
    items = HistoryItem.objects.for_organization(tenant.organization)
    until(lambda: items.count() >= count, what="the history")
    assert items.count() == count
    newest = items.first()
    assert newest is not None
    return newest  # type: ignore[no-any-return]


def audio_of(tenant: Tenant, item: HistoryItem) -> bytes:
    return (tenant.server.folder / "media" / item.media_key).read_bytes()


def nothing_is_kept(tenant: Tenant) -> bool:
    """After a request that is kept, whatever came before it would be there, too."""
    tenant.settled()
    return not HistoryItem.objects.for_organization(tenant.organization).exists()


def test_it_is_off_until_somebody_asks_for_it(acme: Tenant, cpu: Worker) -> None:
    assert acme.generate().status_code == 200
    assert nothing_is_kept(acme)
    set_history_days(organization=acme.organization, days=1)
    acme.generate("Kept at once.")
    assert kept(acme).text == "Kept at once."


def test_text_audio_and_what_was_asked_are_kept(keeping: Tenant) -> None:
    response = keeping.generate(SENTENCES, speed=1.25, seed=7)
    item, record = kept(keeping), keeping.settled()
    assert audio_of(keeping, item) == response.content
    assert item.size_bytes == len(response.content)
    assert item.text == SENTENCES
    assert (item.id, item.request_id) == (record.id, response.headers["X-Request-Id"])
    assert (item.model, item.voice, item.format) == ("hibari", "heart", "wav")
    assert (item.mode, item.surface) == ("live", "generate")
    assert item.key_id == ApiKey.objects.get(organization=keeping.organization, mode="live").id
    assert item.options == {"speed": 1.25, "seed": 7}
    assert (item.characters, item.audio_ms) == (len(SENTENCES), record.audio_ms)
    assert (item.expires_at - item.created_at).days == 30


def test_a_stream_is_kept_as_a_whole_file(keeping: Tenant) -> None:
    response = keeping.generate(stream=True)
    audio = audio_of(keeping, kept(keeping))
    assert audio[44:] == response.content[44:]
    assert struct.unpack_from("<4xI32xI", audio) == (len(audio) - 8, len(audio) - 44)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("format", ["mp3", "opus", "flac"])
def test_files_are_kept_as_they_are(keeping: Tenant, format: str, stream: bool) -> None:
    response = keeping.generate("Hello.", format=format, stream=stream)
    assert audio_of(keeping, kept(keeping)) == response.content


def test_bare_samples_are_kept_as_a_wav(keeping: Tenant) -> None:
    response = keeping.generate("Hello.", format="pcm", sample_rate=16_000)
    item = kept(keeping)
    with wave.open(io.BytesIO(audio_of(keeping, item))) as file:
        assert (file.getframerate(), file.getsampwidth()) == (16_000, 2)
        assert file.readframes(file.getnframes()) == response.content
    assert (item.format, item.content_type) == ("pcm", "audio/wav")


def test_samples_of_telephones_are_kept_as_a_wav(keeping: Tenant) -> None:
    response = keeping.generate("Hello.", format="mulaw")
    audio = audio_of(keeping, kept(keeping))
    assert audio[44:] == response.content
    tag, channels, rate, rate_bytes, block, bits = struct.unpack_from("<20xHHIIHH", audio)
    assert (tag, channels, rate, rate_bytes, block, bits) == (7, 1, 8000, 8000, 1, 8)


def test_requests_of_test_keys_are_kept_and_marked(keeping: Tenant) -> None:
    keeping.generate(key=keeping.test)
    assert kept(keeping).mode == "test"


def test_requests_of_the_playground_are_kept_and_marked(keeping: Tenant) -> None:
    browser = Client()
    browser.force_login(keeping.owner)
    browser.get("/playground")
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    headers = {"X-CSRFToken": cookies["csrftoken"], "Referer": keeping.server.url}
    response = httpx.post(
        f"{keeping.server.url}/playground/speech", json={"text": "Hi."}, headers=headers, cookies=cookies
    )
    assert response.status_code == 200
    item = kept(keeping)
    assert (item.surface, item.key_id) == ("playground", None)


def test_what_did_not_come_whole_is_not_kept(
    acme: Tenant, cpu: Worker, tone: Worker, tone_worker: WorkerProcess
) -> None:
    set_history_days(organization=acme.organization, days=30)
    body: dict[str, Any] = {"text": LONG, "model": "tone", "stream": True}
    with acme.client.stream("POST", "/generate", json=body, headers={"X-API-Key": acme.live}) as left:
        next(left.iter_raw())
    until(lambda: acme.settled().state == "cancelled", what="the end")
    assert acme.generate("👋👋", model="hibari").status_code == 422
    tone_worker.wait_until_idle()
    acme.generate("Whole.", model="hibari")
    assert kept(acme).text == "Whole."


def test_a_cut_is_not_kept(acme: Tenant, tmp_path: Path) -> None:
    with running_worker(tmp_path, ENGINE="tone", THREADS="1", TONE_REAL_TIME_FACTOR="0.2") as fragile:
        deploy(fragile, name="fragile")
        wait_for_route(acme, model="tone")
        set_history_days(organization=acme.organization, days=30)
        body = {"text": LONG, "stream": True}
        with acme.client.stream("POST", "/generate", json=body, headers={"X-API-Key": acme.live}) as response:
            chunks = response.iter_raw()
            next(chunks)
            fragile.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                list(chunks)
        assert acme.settled().state == "cut"
    assert nothing_is_kept(acme)


@pytest.mark.slow
def test_what_a_worker_said_that_broke_off_is_not_kept(
    acme: Tenant, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = {"ENGINE": "tone", "THREADS": "1", "TONE_REAL_TIME_FACTOR": "0.2"}
    with (
        running_worker(tmp_path_factory.mktemp("first"), **settings) as first,
        running_worker(tmp_path_factory.mktemp("second"), **settings) as second,
    ):
        for name, worker in (("first", first), ("second", second)):
            deploy(worker, name=name)
        wait_for_route(acme, model="tone")
        set_history_days(organization=acme.organization, days=30)
        with ThreadPoolExecutor(1) as threads:
            killing = threads.submit(_stop_the_busy_one, first, second)
            response = acme.generate("A tone of some length. " * 20)
            killing.result()
        assert response.status_code == 200
        assert audio_of(acme, kept(acme)) == response.content


def _stop_the_busy_one(*workers: WorkerProcess) -> None:
    """A moment after it has given its first audio."""

    def busy() -> WorkerProcess | None:
        return next((worker for worker in workers if worker.queue()["active"]), None)

    found = until(busy, what="a request")
    assert found is not None
    time.sleep(1)
    found.stop()


def test_once_it_is_off_nothing_more_is_kept_and_what_there_is_stays(keeping: Tenant) -> None:
    keeping.generate("Before.")
    kept(keeping)
    set_history_days(organization=keeping.organization, days=0)
    keeping.generate("After.")
    keeping.settled()
    assert kept(keeping).text == "Before."


def test_an_answer_that_is_given_again_is_kept_once(keeping: Tenant) -> None:
    for _ in range(2):
        response = keeping.post({"text": "Once."}, **{"Idempotency-Key": "one"})
    assert response.headers["Idempotent-Replayed"] == "true"
    keeping.generate("Another.")
    assert kept(keeping, 2).text == "Another."


def test_of_audio_that_is_too_large_the_text_is_kept(acme: Tenant, tmp_path: Path) -> None:
    with running_worker(tmp_path, ENGINE="tone", THREADS="1") as quick:
        deploy(quick, name="quick")
        wait_for_route(acme, model="tone")
        set_history_days(organization=acme.organization, days=30)
        text = ("A tone of some length. " * 250)[:4990]
        assert acme.generate(text, stream=True, sample_rate=48_000).status_code == 200
        item = kept(acme)
    assert (item.text, item.size_bytes, item.has_audio) == (text, 0, False)
    assert not (acme.server.folder / "media" / item.media_key).exists()


def test_where_nothing_can_be_stored_the_request_does_not_notice(keeping: Tenant) -> None:
    folder = keeping.server.folder / "media" / "history"
    folder.mkdir(parents=True, exist_ok=True)
    blocker = folder / str(keeping.organization.id)
    blocker.write_text("no folder")
    try:
        response = keeping.generate()
        assert response.status_code == 200
        request_id = response.headers["X-Request-Id"]

        def is_logged() -> bool:
            lines = keeping.server.log().splitlines()
            return any(request_id in line and "not kept in the history" in line for line in lines)

        until(is_logged, what="the log line")
        assert SENTENCES not in keeping.server.log()
    finally:
        blocker.unlink()
    assert keeping.settled().state == "ok"
    assert not HistoryItem.objects.exists()
