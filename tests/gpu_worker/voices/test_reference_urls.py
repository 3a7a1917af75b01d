"""References that the worker fetches: from origins on its list, and never in the way of others."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.gpu_worker.raw import connected, head
from tests.gpu_worker.voices.conftest import CONSENT_SECRET, Caller, error_of, hertz_of
from tests.gpu_worker.voices.recordings import encoded, recording, sha256_of
from tests.gpu_worker.voices.storage import Storage, running_storage, self_signed
from tests.gpu_worker.voices.waiting import wait_until
from tests.gpu_worker.worker_process import running_worker


def test_a_missing_voice_is_fetched_once(caller: Caller, storage: Storage) -> None:
    data = encoded("ogg opus", hertz=611)
    storage.files["opus"] = data
    storage.asked.clear()
    assert hertz_of(caller.ask(data, reference_url=storage.url("opus"))) == pytest.approx(611, abs=2)
    assert hertz_of(caller.ask(data, reference_url=storage.url("opus"))) == pytest.approx(611, abs=2)
    assert hertz_of(caller.ask(data)) == pytest.approx(611, abs=2)
    assert len(storage.asked) == 1


@pytest.mark.parametrize(
    "name", ["odd/redirect", "odd/endless", "odd/announced", "missing", "other", "expired", "forged"]
)
def test_a_url_that_leads_nowhere_is_refused_for_good(caller: Caller, storage: Storage, name: str) -> None:
    data = recording(hertz=621)
    storage.files["other"] = recording(hertz=622)
    storage.files["expired"] = storage.files["forged"] = data
    url = storage.url(name, expires_in=-1 if name == "expired" else 300)
    if name == "forged":
        url = url[:-1] + ("0" if url[-1] != "0" else "1")
    assert error_of(caller.ask(data, reference_url=url)) == (400, "invalid", "reference_url")
    assert sha256_of(data) not in caller.kept()


@pytest.mark.parametrize(
    "name", ["odd/fault", "odd/short", "odd/garbage", pytest.param("odd/silent", marks=pytest.mark.slow)]
)
def test_a_storage_that_fails_is_worth_another_try(caller: Caller, storage: Storage, name: str) -> None:
    data = storage.files["voice"] = recording(hertz=631)
    response = caller.ask(data, reference_url=storage.url(name))
    assert error_of(response) == (503, "reference_unavailable", None)
    assert response.json()["error"]["retryable"]
    assert int(response.headers["retry-after"]) > 0
    assert hertz_of(caller.ask(data, reference_url=storage.url("voice"))) == pytest.approx(631, abs=2)
    httpx.delete(f"{caller.worker.url}/voices/{sha256_of(data)}")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://s3.example/voice",
        "http://127.0.0.1:1/voice",
        "http://169.254.169.254/latest/meta-data",
        "https://s3.example.org/voice",
        "https://s3.example@127.0.0.1/voice",
        "https://user:pass@s3.example/voice",
        "https://s3.example:444/voice",
        "http://s3.example/voice",
        "https://s3.example:99999/voice",
        "https://[/voice",
        "s3.example",
        "//s3.example/voice",
    ],
)
def test_only_listed_origins_are_asked(caller: Caller, storage: Storage, url: str) -> None:
    storage.asked.clear()
    assert error_of(caller.ask(recording(hertz=641), reference_url=url)) == (400, "invalid", "reference_url")
    assert storage.asked == []


def test_a_name_that_does_not_resolve_is_worth_another_try(caller: Caller) -> None:
    response = caller.ask(recording(hertz=642), reference_url="https://s3.example/voice")
    assert error_of(response) == (503, "reference_unavailable", None)


def test_a_target_that_http_has_no_words_for_is_refused(caller: Caller, storage: Storage) -> None:
    response = caller.ask(recording(hertz=643), reference_url=f"{storage.origin}/a b")
    assert error_of(response) == (400, "invalid", "reference_url")


def test_a_storage_that_is_down_is_worth_another_try(caller: Caller) -> None:
    response = caller.ask(recording(hertz=644), reference_url=f"{caller.closed_origin}/voice")
    assert error_of(response) == (503, "reference_unavailable", None)


def test_a_deadline_holds_while_the_storage_says_nothing(caller: Caller, storage: Storage) -> None:
    response = caller.ask(recording(hertz=645), reference_url=storage.url("odd/silent"), deadline_ms=200)
    assert error_of(response) == (503, "deadline_exceeded", None)


def test_a_caller_that_leaves_while_the_storage_says_nothing_is_noticed(
    caller: Caller, storage: Storage
) -> None:
    url = storage.url("odd/silent")
    body = json.dumps(caller.body(recording(hertz=647), reference_url=url, request_id="req_gone")).encode()
    storage.asked.clear()
    with connected(caller.worker.url) as connection:
        connection.sendall(head(Content_Type="application/json", Content_Length=len(body)) + body)
        wait_until(lambda: bool(storage.asked))
    assert [line["outcome"] for line in caller.worker.log_of("req_gone")] == ["cancelled"]


def test_a_worker_that_ends_refuses_what_it_still_fetches_for(tmp_path: Path, storage: Storage) -> None:
    environment = {
        "ENGINE": "tone",
        "CONSENT_SECRET": CONSENT_SECRET,
        "VOICE_CACHE": str(tmp_path / "voices"),
        "REFERENCE_ORIGINS": storage.origin,
    }
    with running_worker(tmp_path, **environment) as worker, ThreadPoolExecutor() as pool:
        storage.asked.clear()
        url = storage.url("odd/silent")
        asked = pool.submit(Caller(worker).ask, recording(hertz=648), reference_url=url)
        wait_until(lambda: bool(storage.asked))
        worker.terminate()
        assert error_of(asked.result()) == (503, "draining", None)
        assert int(asked.result().headers["retry-after"]) >= 1
        assert worker.process.wait(8) == 0


def test_a_storage_over_tls_is_asked_only_if_its_certificate_is_vouched_for(tmp_path: Path) -> None:
    trusted, other = (self_signed(tmp_path / name) for name in ("trusted.pem", "other.pem"))
    data = recording(hertz=646)
    with running_storage(trusted) as known, running_storage(other) as unknown:
        known.files["voice"] = unknown.files["voice"] = data
        environment = {
            "ENGINE": "tone",
            "CONSENT_SECRET": CONSENT_SECRET,
            "VOICE_CACHE": str(tmp_path / "voices"),
            "REFERENCE_ORIGINS": f"{known.origin} {unknown.origin}",
            "SSL_CERT_FILE": str(trusted),
        }
        with running_worker(tmp_path, **environment) as worker:
            caller = Caller(worker)
            refused = caller.ask(data, reference_url=unknown.url("voice"))
            assert error_of(refused) == (503, "reference_unavailable", None)
            assert unknown.asked == []
            assert hertz_of(caller.ask(data, reference_url=known.url("voice"))) == pytest.approx(646, abs=2)


def test_a_worker_without_origins_fetches_nothing_and_sweeps_at_its_start(tmp_path: Path) -> None:
    cache = tmp_path / "voices"
    cache.mkdir()
    for name in (".draft-left", f"{'0' * 64}-24000"):
        (cache / name).write_bytes(b"of yesterday")
        os.utime(cache / name, (time.time(), time.time() - 90_000))
    environment = {"ENGINE": "tone", "CONSENT_SECRET": CONSENT_SECRET, "VOICE_CACHE": str(cache)}
    with running_worker(tmp_path, **environment) as worker:
        give_up_at = time.monotonic() + 20
        while list(cache.iterdir()):
            assert time.monotonic() < give_up_at
            time.sleep(0.01)
        response = Caller(worker).ask(recording(), reference_url="https://s3.example/voice")
        assert error_of(response) == (400, "invalid", "reference_url")
        assert "multipart/form-data" in response.json()["error"]["message"]


@pytest.mark.slow
def test_one_that_trickles_is_given_up_while_others_are_served(caller: Caller, storage: Storage) -> None:
    data = recording(hertz=651)
    assert caller.send(data).status_code == 200
    started_at = time.monotonic()
    with httpx.stream(
        "POST",
        caller.url,
        json=caller.body(recording(hertz=652), reference_url=storage.url("odd/trickle")),
        timeout=60,
    ) as slow:
        assert slow.status_code == 503
    assert 15 < time.monotonic() - started_at < 30
    assert hertz_of(caller.ask(data)) == pytest.approx(651, abs=2)
