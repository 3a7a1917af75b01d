"""POST /generate: real speech through key, admission, routing, worker and settlement."""

from __future__ import annotations

import io
import struct
import time
import wave
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.services import set_suspended
from apps.deployments.models import Worker
from apps.keys.models import ApiKey
from apps.keys.services import issue_key, revoke_key
from apps.usage.models import UsageRecord
from tests.platform import SENTENCES, Tenant, until

UNKNOWN_SIZE = 0xFFFFFFFF


def samples_of(wav: bytes) -> np.ndarray[Any, Any]:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def error_of(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"code", "message", "param", "request_id"}
    assert error["request_id"] == response.headers["X-Request-Id"]
    assert error["message"].endswith((".", "!", "?"))
    return error


def test_a_whole_wav_has_exact_sizes_and_speech_in_it(acme: Tenant, cpu: Worker) -> None:
    response = acme.generate()
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "audio/wav"
    assert int(response.headers["Content-Length"]) == len(response.content)
    riff_size, data_size = struct.unpack_from("<4xI32xI", response.content)
    assert (riff_size, data_size) == (len(response.content) - 8, len(response.content) - 44)
    audio = samples_of(response.content)
    assert 2.0 < len(audio) / 24000 < 6.0
    assert np.sqrt(np.mean((audio / 32768.0) ** 2)) > 0.02
    assert np.abs(audio).max() < 32767


def test_longer_text_gives_longer_audio(acme: Tenant, cpu: Worker) -> None:
    short = len(samples_of(acme.generate("One short sentence.").content))
    assert len(samples_of(acme.generate("One short sentence. " * 4).content)) > 3 * short


def test_the_answer_says_what_spoke_and_what_it_counts(acme: Tenant, cpu: Worker) -> None:
    response = acme.generate("Hello.")
    assert response.headers["X-Model"] == "hibari"
    assert response.headers["X-Voice"] == "heart"
    assert response.headers["X-Characters"] == "6"
    assert int(response.headers["X-RateLimit-Remaining"]) < int(response.headers["X-RateLimit-Limit"])


def test_model_voice_speed_and_seed_are_taken(acme: Tenant, cpu: Worker) -> None:
    slow = acme.generate(model="hibari", voice="heart", speed=0.7, seed=7)
    fast = acme.generate(model="hibari", voice="heart", speed=1.6, seed=7)
    assert len(slow.content) > 1.6 * len(fast.content)
    assert acme.generate(seed=7, speed=1.6).content == fast.content


def test_a_stream_begins_before_its_end_is_made(acme: Tenant, tone: Worker) -> None:
    text = "A tone of some length. " * 6
    started = time.monotonic()
    request = acme.client.build_request(
        "POST", "/generate", json={"text": text, "stream": True}, headers={"X-API-Key": acme.live}
    )
    response = acme.client.send(request, stream=True)
    chunks = response.iter_bytes()
    first = next(chunks)
    first_after = time.monotonic() - started
    body = first + b"".join(chunks)
    whole_after = time.monotonic() - started
    assert struct.unpack_from("<4xI32xI", body) == (UNKNOWN_SIZE, UNKNOWN_SIZE)
    assert "Content-Length" not in response.headers
    assert first_after < whole_after / 2
    record = acme.settled()
    assert record.state == UsageRecord.State.OK
    assert (len(body) - 44) / 48 == pytest.approx(record.audio_ms, abs=2)


def test_stream_and_whole_are_the_same_audio(acme: Tenant, cpu: Worker) -> None:
    whole = acme.generate(seed=3).content
    streamed = acme.generate(seed=3, stream=True).content
    assert streamed[44:] == whole[44:]


def test_a_request_is_recorded_with_its_figures(acme: Tenant, cpu: Worker) -> None:
    response = acme.post({"text": SENTENCES}, **{"X-Request-Id": "order-4711-a"})
    assert response.headers["X-Request-Id"] == "order-4711-a"
    record = acme.settled()
    key = ApiKey.objects.get(organization=acme.organization, mode="live")
    assert record.request_id == "order-4711-a"
    assert (record.state, record.mode, record.surface) == ("ok", "live", "generate")
    assert (record.model, record.voice, record.key_id) == ("hibari", "heart", key.id)
    assert record.deployment_id == cpu.deployment_id
    assert record.characters == record.characters_charged == len(SENTENCES)
    assert record.audio_ms == pytest.approx((len(response.content) - 44) / 48, abs=2)
    assert record.engine_ms > 0
    assert record.ttfb_ms is not None
    assert 0 < record.ttfb_ms <= record.total_ms
    until(lambda: ApiKey.objects.get(pk=key.pk).last_used_at, what="last used")


def test_characters_are_code_points_as_sent(acme: Tenant, cpu: Worker) -> None:
    text = "  Café 👋🏽 ok.\n"
    assert acme.generate(text).status_code == 200
    assert acme.settled().characters == len(text)


def test_the_log_has_the_request_but_neither_text_nor_key(acme: Tenant, cpu: Worker) -> None:
    response = acme.generate("Xylophone quartz.")
    acme.settled()
    request_id = response.headers["X-Request-Id"]
    line = until(
        lambda: next((x for x in acme.server.log().splitlines() if request_id in x and '"speech"' in x), ""),
        what="the log line",
    )
    assert str(acme.organization.id) in line
    assert acme.live[:16] in line
    assert "Xylophone" not in acme.server.log()
    assert acme.live not in acme.server.log()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \n\t "}, "text"),
        ({"text": 7}, "text"),
        ({"text": None}, "text"),
        ({"text": ["Hello."]}, "text"),
        ({"text": "nul \x00 inside"}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "Hi.", "speed": "fast"}, "speed"),
        ({"text": "Hi.", "speed": True}, "speed"),
        ({"text": "Hi.", "speed": 9}, "speed"),
        ({"text": "Hi.", "seed": -1}, "seed"),
        ({"text": "Hi.", "seed": 1.5}, "seed"),
        ({"text": "Hi.", "stream": "yes"}, "stream"),
        ({"text": "Hi.", "voice": {"id": 1}}, "voice"),
        ({"text": "Hi.", "model": 5}, "model"),
        ({"text": "Hi.", "strem": True}, "strem"),
        (["Hi."], None),
        ("Hi.", None),
    ],
)
def test_bad_bodies_are_refused_and_not_recorded(acme: Tenant, cpu: Worker, body: Any, param: str) -> None:
    response = acme.post(body)
    assert response.status_code == 400
    assert error_of(response)["param"] == param
    assert acme.records() == []


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b'{"text": "Hi."', "application/json", 400, "invalid_json"),
        (b"\xff\xfe{}", "application/json", 400, "invalid_json"),
        (b"[" * 50_000, "application/json", 400, "invalid_json"),
        (b'{"text": "\xff"}', "application/json", 400, "invalid_json"),
        (b'{"text": "lone \\ud800 half"}', "application/json", 400, "invalid_request"),
        (b'{"text": "Hi.", "lone \\ud800 half": 1}', "application/json", 400, "invalid_request"),
        (b'{"text": NaN}', "application/json", 400, None),
        (b"", "application/json", 400, None),
        (b"text=Hi.", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"Hi.", "text/plain", 415, "unsupported_media_type"),
        (b'{"text": "' + b"x" * 1_100_000 + b'"}', "application/json", 413, "payload_too_large"),
    ],
)
def test_bytes_that_are_no_request(
    acme: Tenant, cpu: Worker, content: bytes, content_type: str, status: int, code: str | None
) -> None:
    response = acme.client.post(
        "/generate", content=content, headers={"Content-Type": content_type, "X-API-Key": acme.live}
    )
    assert response.status_code == status
    assert code in {None, error_of(response)["code"]}
    assert acme.records() == []


def test_an_oversized_body_without_a_length_is_refused(acme: Tenant) -> None:
    def chunks() -> Any:
        for _ in range(40):
            yield b"x" * 64_000

    response = acme.client.post(
        "/generate", content=chunks(), headers={"Content-Type": "application/json", "X-API-Key": acme.live}
    )
    assert response.status_code == 413
    assert error_of(response)["code"] == "payload_too_large"


def test_text_over_the_organizations_limit(acme: Tenant, cpu: Worker) -> None:
    response = acme.generate("x" * 5001)
    assert response.status_code == 400
    assert error_of(response)["code"] == "text_too_long"
    assert "5000" in error_of(response)["message"]


@pytest.mark.parametrize("text", ["👋👋", "你好，世界", "…"])
def test_text_without_sounds_cannot_be_spoken(acme: Tenant, cpu: Worker, text: str) -> None:
    response = acme.generate(text)
    assert response.status_code == 422
    assert error_of(response)["code"] == "cannot_speak"
    record = acme.settled()
    assert (record.state, record.characters_charged, record.error_code) == ("failed", 0, "cannot_speak")


def test_an_unknown_voice_is_never_another_voice(acme: Tenant, cpu: Worker) -> None:
    response = acme.generate(voice="nobody")
    assert response.status_code == 404
    assert error_of(response)["code"] == "voice_not_found"
    assert acme.generate(model="nothing").status_code == 404
    assert acme.records() == []


@pytest.mark.parametrize("accept", ["audio/wav", "audio/*", "application/octet-stream", "text/html", "*/*"])
def test_whatever_is_accepted_the_answer_is_a_wav(acme: Tenant, cpu: Worker, accept: str) -> None:
    response = acme.post({"text": "Hi."}, Accept=accept)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/wav")


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PUT", "DELETE", "PATCH"])
def test_only_post_speaks(acme: Tenant, method: str) -> None:
    response = acme.client.request(method, "/generate", headers={"X-API-Key": acme.live})
    assert response.status_code == 405
    assert response.headers["X-Request-Id"]


def test_other_methods_and_paths(acme: Tenant) -> None:
    assert error_of(acme.client.get("/generate"))["code"] == "method_not_allowed"
    assert acme.client.get("/generate").status_code == 405
    assert error_of(acme.client.post("/generate/more"))["code"] == "not_found"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "missing_api_key"),
        ("nonsense", "invalid_api_key"),
        ("vf_live_" + "0" * 36, "invalid_api_key"),
        ("ключ".encode().decode("latin-1"), "invalid_api_key"),
    ],
)
def test_keys_that_are_none(acme: Tenant, cpu: Worker, key: str, code: str) -> None:
    headers = {b"X-API-Key": key.encode("latin-1")}
    response = acme.client.post("/generate", json={"text": "Hi."}, headers=headers)
    assert response.status_code == 401
    assert error_of(response)["code"] == code


def test_unknown_and_wrong_keys_get_one_and_the_same_refusal(acme: Tenant, cpu: Worker) -> None:
    from apps.keys import secrets

    unknown = acme.generate(key=secrets.generate("live"))
    body = acme.live[:16] + secrets.generate("live")[16:38]
    wrong = acme.generate(key=body + secrets.checksum(body))
    assert unknown.status_code == wrong.status_code == 401
    assert error_of(unknown)["message"] == error_of(wrong)["message"]


def test_a_revoked_key_stops_within_a_second(acme: Tenant, cpu: Worker) -> None:
    assert acme.generate().status_code == 200
    revoke_key(key=ApiKey.objects.get(organization=acme.organization, mode="live"), by=acme.owner)
    refused_from = time.monotonic()
    response = acme.generate()
    assert time.monotonic() - refused_from < 1
    assert response.status_code == 401


def test_expired_and_suspended(acme: Tenant, cpu: Worker) -> None:
    ApiKey.objects.filter(mode="test").update(expires_at=timezone.now() - timedelta(seconds=1))
    until(lambda: acme.generate(key=acme.test).status_code == 401, seconds=2, what="expiry")
    set_suspended(organization=acme.organization, suspended=True)
    response = acme.generate()
    assert response.status_code == 403
    assert error_of(response)["code"] == "organization_suspended"


def test_a_key_without_the_scope_may_not_speak(acme: Tenant, cpu: Worker) -> None:
    manager = issue_key(
        organization=acme.organization, name="m", mode="live", scopes=["manage"], created_by=None
    )
    response = acme.generate(key=manager.secret)
    assert response.status_code == 403
    assert error_of(response)["code"] == "missing_scope"


def test_a_test_key_reaches_only_the_shared_cpu_engine(acme: Tenant, tone: Worker, cpu: Worker) -> None:
    assert acme.generate(key=acme.test).headers["X-Model"] == "hibari"
    assert acme.generate(key=acme.test, model="tone").status_code == 404
    assert acme.settled().mode == "test"


def test_nobody_there_to_speak_is_503_with_a_time_to_come_back(acme: Tenant) -> None:
    response = acme.generate()
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert response.headers["Connection"] == "close"
    assert error_of(response)["request_id"]
    assert acme.records() == []


def test_the_wsgi_door_says_where_speech_is(acme: Tenant, client: Client) -> None:
    response = client.post(
        "/generate", {"text": "Hi."}, content_type="application/json", headers={"X-API-Key": acme.live}
    )
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "speech_needs_asgi"
