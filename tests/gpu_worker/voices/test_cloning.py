"""A cloned voice from the first request to the last: missing, sent, cached, deleted, and never another's."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import httpx
import pytest

from gpu_worker.protocol import sign_consent
from tests.gpu_worker.framed import ACCEPT
from tests.gpu_worker.voices.conftest import CONSENT_SECRET, Caller, error_of, hertz_of
from tests.gpu_worker.voices.recordings import encoded, recording, sha256_of
from tests.gpu_worker.worker_process import WorkerProcess, running_worker


def test_a_voice_is_missing_then_sent_then_at_hand(caller: Caller) -> None:
    data = recording(hertz=301)
    assert error_of(caller.ask(data)) == (409, "voice_missing", "voice")
    assert hertz_of(caller.send(data)) == pytest.approx(301, abs=2)
    assert hertz_of(caller.ask(data)) == pytest.approx(301, abs=2)
    assert sha256_of(data) in caller.kept()


def test_what_is_sent_though_it_is_at_hand_changes_nothing(caller: Caller) -> None:
    data = encoded("mp3", hertz=317)
    for _ in range(2):
        assert hertz_of(caller.send(data)) == pytest.approx(317, abs=2)


def test_all_ways_to_answer_speak_with_the_cloned_voice(caller: Caller) -> None:
    data = recording(hertz=333)
    assert hertz_of(caller.send(data, stream=True)) == pytest.approx(333, abs=2)
    framed = httpx.post(caller.url, json=caller.body(data), headers=ACCEPT)
    assert framed.headers["content-type"] == ACCEPT["Accept"]
    assert sha256_of(data).encode() in framed.content


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"consent": None}, 403, "consent_required"),
        ({"consent": "yes"}, 403, "consent_invalid"),
        ({"consent": sign_consent("0" * 64, secret=CONSENT_SECRET)}, 403, "consent_invalid"),
        ({"consent": "old"}, 403, "consent_invalid"),
        ({"consent": "of another platform"}, 403, "consent_invalid"),
        ({"consent": "of another tenant", "tenant": "two"}, 403, "consent_invalid"),
    ],
)
def test_no_cached_voice_is_used_without_consent(
    caller: Caller, fields: dict[str, str], status: int, code: str
) -> None:
    data = recording(hertz=351)
    voice = sha256_of(data)
    assert caller.send(data).status_code == 200
    tokens = {
        "old": sign_consent(voice, secret=CONSENT_SECRET, issued_at=time.time() - 61),
        "of another platform": sign_consent(voice, secret="x" * 40),
        "of another tenant": sign_consent(voice, secret=CONSENT_SECRET, tenant="one"),
    }
    fields = {**fields, "consent": tokens.get(fields["consent"], fields["consent"])}
    assert error_of(caller.ask(data, **fields)) == (status, code, "consent")


def test_nothing_is_kept_without_consent(caller: Caller) -> None:
    data = recording(hertz=352)
    assert error_of(caller.send(data, consent=None)) == (403, "consent_required", "consent")
    assert sha256_of(data) not in caller.kept()


def test_a_token_of_a_tenant_is_good_for_that_tenant(caller: Caller) -> None:
    data = recording(hertz=353)
    consent = sign_consent(sha256_of(data), secret=CONSENT_SECRET, tenant="one")
    assert caller.send(data, consent=consent, tenant="one").status_code == 200


def test_a_recording_must_be_the_one_that_is_named(caller: Caller) -> None:
    named, sent = recording(hertz=361), recording(hertz=362)
    response = caller.send_parts(json.dumps(caller.body(named)).encode(), sent)
    assert error_of(response) == (400, "invalid", "reference")
    assert not {sha256_of(named), sha256_of(sent)} & caller.kept()


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", bytes(100_000), recording(seconds=2), recording(seconds=31), recording(level=0)]
)
def test_a_recording_that_is_none_is_refused_and_not_kept(caller: Caller, data: bytes) -> None:
    assert error_of(caller.send(data)) == (400, "invalid", "reference")
    assert sha256_of(data) not in caller.kept()


def test_a_deleted_voice_is_missing_again(caller: Caller) -> None:
    data = recording(hertz=371)
    assert caller.send(recording(hertz=370)).status_code == 200
    assert caller.send(data).status_code == 200
    url = f"{caller.worker.url}/voices/{sha256_of(data)}"
    assert httpx.delete(url).status_code == 204
    assert sha256_of(data) not in caller.kept()
    assert error_of(caller.ask(data)) == (409, "voice_missing", "voice")
    kept = caller.kept()
    for name in ("heart", "*", "?" * 64, "[0-9a-f]*", "%2e%2e", f"{sha256_of(data)}-24000", sha256_of(data)):
        response = httpx.delete(f"{caller.worker.url}/voices/{name}")
        assert error_of(response) == (404, "not_found", None)
    assert caller.kept() == kept


def test_a_voice_that_another_worker_deleted_is_missing_here_too(caller: Caller) -> None:
    data = recording(hertz=372)
    assert caller.send(data).status_code == 200
    for path in caller.cache.glob(f"{sha256_of(data)}-*"):
        path.unlink()
    assert error_of(caller.ask(data)) == (409, "voice_missing", "voice")


def test_a_day_after_it_was_sent_a_voice_is_missing(caller: Caller) -> None:
    data = recording(hertz=373)
    assert caller.send(data).status_code == 200
    (path,) = caller.cache.glob(f"{sha256_of(data)}-*")
    os.utime(path, (time.time(), time.time() - 86_400))
    assert error_of(caller.ask(data)) == (409, "voice_missing", "voice")


def test_voices_are_listed_by_name_and_nothing_is_said_of_recordings(caller: Caller) -> None:
    assert caller.send(recording(hertz=374)).status_code == 200
    assert httpx.get(f"{caller.worker.url}/voices").json() == {"voices": ["tone"], "default": "tone"}


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"voice": "nobody"}, 404, "voice_not_found", "voice"),
        ({"voice": "tone", "reference_url": "https://s3.example/x"}, 400, "invalid", "voice"),
        ({"model": "other"}, 404, "model_not_found", "model"),
        ({"language": "fr"}, 400, "invalid", "language"),
        ({"text": " "}, 400, "invalid", "text"),
    ],
)
def test_what_cannot_be_met_is_refused_before_the_recording_is_looked_at(
    caller: Caller, fields: dict[str, str], status: int, code: str, param: str
) -> None:
    assert error_of(caller.ask(recording(hertz=375), **fields)) == (status, code, param)
    if code != "voice_not_found":
        data = recording(hertz=376)
        assert error_of(caller.send(data, **fields)) == (status, code, param)
        assert sha256_of(data) not in caller.kept()


def test_two_uploads_at_once_of_one_recording_share_it(caller: Caller) -> None:
    data = recording(hertz=381, seconds=20)
    parts = {
        "request": ("r", json.dumps(caller.body(data)), "application/json"),
        "reference": ("v", data, "audio/wav"),
    }

    async def send_many() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=60) as client:
            return await asyncio.gather(*(client.post(caller.url, files=parts) for _ in range(12)))

    for response in asyncio.run(send_many()):
        assert hertz_of(response) == pytest.approx(381, abs=2)


def test_voices_of_requests_at_once_are_never_swapped(caller: Caller) -> None:
    voices = {hertz: recording(hertz=hertz, seconds=3) for hertz in range(400, 1400, 100)}
    for data in list(voices.values())[:5]:
        assert caller.send(data).status_code == 200

    async def speak(client: httpx.AsyncClient, number: int) -> tuple[int, httpx.Response]:
        hertz = list(voices)[number % len(voices)]
        body = caller.body(voices[hertz], text=f"Number {number} speaks. " * 4)
        response = await client.post(caller.url, json=body)
        if response.status_code == 409:
            parts = {"request": ("r", json.dumps(body)), "reference": ("v", voices[hertz])}
            response = await client.post(caller.url, files=parts)
        return hertz, response

    async def speak_all() -> list[tuple[int, httpx.Response]]:
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=50)) as client:
            return await asyncio.gather(*(speak(client, number) for number in range(50)))

    for hertz, response in asyncio.run(speak_all()):
        assert hertz_of(response) == pytest.approx(hertz, abs=2)


def test_cloning_is_off_without_a_secret(slow_worker: WorkerProcess) -> None:
    assert "clone" not in httpx.get(f"{slow_worker.url}/ready").json()["features"]
    caller = Caller(slow_worker)
    for response in (caller.ask(recording()), caller.send(recording())):
        assert error_of(response) == (400, "invalid", "voice")


def test_an_engine_that_cannot_clone_says_so(worker: WorkerProcess) -> None:
    assert error_of(Caller(worker).ask(recording())) == (400, "invalid", "voice")


def test_cloning_is_announced(caller: Caller) -> None:
    assert "clone" in httpx.get(f"{caller.worker.url}/ready").json()["features"]


@pytest.mark.slow
def test_a_small_cache_holds_what_was_used_last_and_two_workers_share_it(tmp_path: Path) -> None:
    environment = {
        "ENGINE": "tone",
        "CONSENT_SECRET": CONSENT_SECRET,
        "VOICE_CACHE": str(tmp_path / "voices"),
        "VOICE_CACHE_MB": "8",
    }
    # Each takes 1.44 MB of the 8.
    recordings = [recording(hertz=500 + 10 * number, seconds=30) for number in range(6)]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with (
        running_worker(tmp_path / "one", **environment) as one,
        running_worker(tmp_path / "two", **environment) as two,
    ):
        first, second = Caller(one), Caller(two)
        for data in recordings[:5]:
            assert first.send(data).status_code == 200
            time.sleep(0.01)
        assert hertz_of(second.ask(recordings[0])) == pytest.approx(500, abs=2)
        assert second.send(recordings[5]).status_code == 200
        statuses = [first.ask(data).status_code for data in recordings]
        assert statuses == [200, 409, 200, 200, 200, 200]
        assert httpx.delete(f"{one.url}/voices/{sha256_of(recordings[0])}").status_code == 204
        assert error_of(second.ask(recordings[0])) == (409, "voice_missing", "voice")


def test_a_cache_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    worker = WorkerProcess(
        tmp_path, ENGINE="tone", CONSENT_SECRET=CONSENT_SECRET, VOICE_CACHE=str(tmp_path / "file")
    )
    try:
        assert worker.process.wait(20) == 2
        [told] = worker.log_of_event("wrong setting")
        assert told["message"] == f"VOICE_CACHE cannot be used: {tmp_path / 'file'}: File exists."
    finally:
        worker.stop()
