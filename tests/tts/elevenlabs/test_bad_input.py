"""Whatever is sent, ElevenLabs' calls answer with a refusal in their shape and never with a fault."""

from __future__ import annotations

import httpx
import pytest

from apps.deployments.models import Worker
from tests.platform import Tenant

PATHS = ["", "/stream", "/with-timestamps", "/stream/with-timestamps"]
BODIES = [
    '{"text": "\\ud800"}',
    '{"text": "Hi.", "seed": 1e400}',
    '{"text": "Hi.", "seed": 1' + "0" * 400 + "}",
    '{"text": "Hi.", "seed": true}',
    '{"text": "Hi.", "voice_settings": {"speed": 1' + "0" * 400 + "}}",
    '{"text": "Hi.", "voice_settings": {"speed": 1e400}}',
    '{"text": "Hi.", "voice_settings": {"stability": -0.01}}',
    '{"text": "Hi.", "voice_settings": []}',
    '{"text": "Hi.", "voice_settings": {"use_speaker_boost": "yes"}}',
    '{"text": "Hi.", "model_id": ""}',
    '{"text": "Hi.", "model_id": "\\u0000"}',
    '{"text": "Hi.", "model_id": "' + "m" * 200 + '"}',
    '{"text": "Hi.", "language_code": "\\u0000"}',
    '{"text": "Hi.", "language_code": "xx"}',
    '{"text": "Hi.", "language_code": "' + "e" * 36 + '"}',
    '{"text": "Hi.", "previous_text": 5}',
    '{"text": "Hi.", "next_request_ids": "one"}',
    '{"text": "Hi.", "pronunciation_dictionary_locators": [1]}',
    '{"text": "Hi.", "apply_text_normalization": []}',
    '{"text": ["Hi."]}',
    '{"text": "' + "Hi. [pause:10s] " * 13 + '"}',
]
QUERIES = [
    {"output_format": ""},
    {"output_format": "pcm_44101"},
    {"output_format": "MP3_44100_128"},
    {"output_format": "\x00é👋"},
    {"enable_logging": "perhaps"},
    {"optimize_streaming_latency": "fast"},
]
VOICES = ["%00", "%FF", "%F0%9F%91%8B", "a" * 300, "..%2F..", "0192f1d2-0000-7000-8000-000000000000"]


def assert_refused(response: httpx.Response) -> None:
    assert 400 <= response.status_code < 500, response.request.content[:60]
    detail = response.json()["detail"]
    if response.status_code == 422:
        assert all(set(problem) == {"loc", "msg", "type"} for problem in detail)
    else:
        assert set(detail) == {"status", "message", "param", "request_id"}
    assert response.headers["request-id"]


def test_no_body_breaks_anything(acme: Tenant, cpu: Worker) -> None:
    for number, body in enumerate(BODIES):
        response = acme.client.post(
            f"/elevenlabs/v1/text-to-speech/heart{PATHS[number % len(PATHS)]}",
            content=body,
            headers={"xi-api-key": acme.live, "Content-Type": "application/json"},
        )
        assert_refused(response)
    assert all(record.characters_charged == 0 for record in acme.records())


@pytest.mark.parametrize("path", PATHS)
def test_no_query_and_no_voice_breaks_anything(acme: Tenant, cpu: Worker, path: str) -> None:
    headers = {"xi-api-key": acme.live}
    for query in QUERIES:
        url = f"/elevenlabs/v1/text-to-speech/heart{path}"
        assert_refused(acme.client.post(url, json={"text": "Hi."}, params=query, headers=headers))
    for voice in VOICES:
        url = f"/elevenlabs/v1/text-to-speech/{voice}{path}"
        assert_refused(acme.client.post(url, json={"text": "Hi."}, headers=headers))
    assert acme.records() == []
