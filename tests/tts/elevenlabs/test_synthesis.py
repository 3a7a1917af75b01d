"""`convert` and `stream` with ElevenLabs' own clients."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from elevenlabs import AsyncElevenLabs, ElevenLabs, VoiceSettings
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import UnprocessableEntityError

from apps.accounts.services import set_history_days
from apps.deployments.models import Worker
from apps.tts.elevenlabs.formats import OUTPUT_FORMATS
from apps.tts.models import HistoryItem
from tests.platform import SENTENCES, Tenant, until
from tests.tts.elevenlabs.conftest import client_of
from tests.tts.test_formats import seconds_of


def audio_of(client: ElevenLabs, text: str = SENTENCES, **fields: Any) -> bytes:
    return b"".join(client.text_to_speech.convert("heart", text=text, **fields))


def refusal_of(client: ElevenLabs, voice: str = "heart", text: Any = SENTENCES, **fields: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        b"".join(client.text_to_speech.convert(voice, text=text, **fields))
    return caught.value


def test_it_speaks_as_the_client_asks(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    data = audio_of(client, model_id="eleven_multilingual_v2")
    assert seconds_of(data, "mp3", 44_100) == pytest.approx(acme.settled().audio_ms / 1000, abs=0.08)
    record = acme.settled()
    assert (record.state, record.surface, record.mode) == ("ok", "elevenlabs", "live")
    assert (record.model, record.voice) == ("hibari", "heart")
    assert record.characters == record.characters_charged == len(SENTENCES)


@pytest.mark.parametrize("name", OUTPUT_FORMATS)
def test_every_format_is_as_long(acme: Tenant, cpu: Worker, client: ElevenLabs, name: str) -> None:
    output = OUTPUT_FORMATS[name]
    data = audio_of(client, output_format=name)
    recorded = acme.settled().audio_ms / 1000
    assert seconds_of(data, output.format, output.sample_rate) == pytest.approx(recorded, abs=0.08)
    if output.bitrate:
        assert len(data) * 8 / recorded == pytest.approx(output.bitrate, rel=0.35)


def test_a_stream_is_the_same_audio_as_it_is_made(acme: Tenant, tone: Worker, client: ElevenLabs) -> None:
    text = "A tone of some length. " * 6
    started = time.monotonic()
    chunks = client.text_to_speech.stream("tone", text=text, output_format="pcm_24000")
    data = next(chunks)
    first_after = time.monotonic() - started
    data += b"".join(chunks)
    assert first_after < (time.monotonic() - started) / 2
    whole = b"".join(client.text_to_speech.convert("tone", text=text, output_format="pcm_24000"))
    assert data == whole


async def test_the_asynchronous_client_hears_the_same(
    acme: Tenant, cpu: Worker, client: ElevenLabs, async_client: AsyncElevenLabs
) -> None:
    fields: dict[str, Any] = {"text": SENTENCES, "seed": 4, "output_format": "wav_24000"}
    converted = [part async for part in async_client.text_to_speech.convert("heart", **fields)]
    streamed = [part async for part in async_client.text_to_speech.stream("heart", **fields)]
    assert b"".join(converted)[44:] == b"".join(streamed)[44:]
    assert b"".join(streamed)[4:8] == b"\xff\xff\xff\xff"


def test_headers_tell_what_it_costs_and_who_answered(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    with client.text_to_speech.with_raw_response.convert("heart", text=SENTENCES) as response:
        headers = response.headers
        b"".join(response.data)
    assert headers["content-type"] == "audio/mpeg"
    assert headers["character-cost"] == str(len(SENTENCES))
    assert headers["request-id"] == headers["x-request-id"] == acme.settled().request_id
    assert int(headers["maximum-concurrent-requests"]) >= int(headers["current-concurrent-requests"]) >= 1
    assert 0 <= int(headers["x-ratelimit-reset"]) - time.time() <= 61


def test_a_test_key_costs_nothing(acme: Tenant, cpu: Worker) -> None:
    with httpx.Client() as http:
        client = client_of(acme, http, key=acme.test)
        with client.text_to_speech.with_raw_response.convert("heart", text="Hi.") as response:
            assert response.headers["character-cost"] == "0"
            assert b"".join(response.data)


def test_either_header_carries_the_key(acme: Tenant, cpu: Worker) -> None:
    for header in ("xi-api-key", "X-API-Key"):
        response = acme.client.post(
            "/elevenlabs/v1/text-to-speech/heart", json={"text": "Hi."}, headers={header: acme.live}
        )
        assert response.status_code == 200, response.text


def test_settings_seed_and_language_are_taken(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    slow = audio_of(client, voice_settings=VoiceSettings(speed=0.7), seed=7, output_format="pcm_8000")
    fast = audio_of(client, voice_settings=VoiceSettings(speed=1.2), seed=7, output_format="pcm_8000")
    assert len(slow) > 1.5 * len(fast)
    again = audio_of(
        client,
        voice_settings=VoiceSettings(
            speed=1.2, stability=0.2, similarity_boost=1, style=0.4, use_speaker_boost=True
        ),
        seed=7,
        language_code="en",
        output_format="pcm_8000",
    )
    assert again == fast


def test_normalization_and_unknown_tags(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    text = "It costs $12,345,678.90."
    spoken = audio_of(client, text, seed=1, output_format="pcm_8000")
    plain = audio_of(client, text, seed=1, output_format="pcm_8000", apply_text_normalization="off")
    tagged = audio_of(client, f"[excited] {text}", seed=1, output_format="pcm_8000")
    assert spoken != plain
    assert spoken == tagged


@pytest.mark.parametrize("model_id", ["eleven_v3", "eleven_flash_v2_5", "eleven_monolingual_v1", "hibari"])
def test_models_of_theirs_and_ours(acme: Tenant, cpu: Worker, client: ElevenLabs, model_id: str) -> None:
    assert audio_of(client, "Hi.", model_id=model_id)
    assert acme.settled().model == "hibari"


def test_what_has_no_counterpart_is_accepted_and_told(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    with client.text_to_speech.with_raw_response.convert(
        "heart",
        text="Hi.",
        previous_text="Before.",
        next_text="",
        previous_request_ids=["one"],
        pronunciation_dictionary_locators=[],
        enable_logging=False,
        optimize_streaming_latency=3,
        request_options={"additional_body_parameters": {"hcaptcha_token": "none"}},
    ) as response:
        assert response.headers["x-ignored-parameters"] == "previous_text, previous_request_ids"
        assert b"".join(response.data)


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [
        ({"voice": "nobody"}, 404, "voice_not_found"),
        ({"model_id": "eleven_bogus"}, 400, "model_not_found"),
        ({"text": "x" * 5001}, 400, "max_character_limit_exceeded"),
        ({"text": " \n"}, 400, "empty_text"),
        ({"text": "字"}, 400, "invalid_text"),
        ({"output_format": "mp3_44100_256"}, 400, "invalid_output_format"),
        ({"voice_settings": VoiceSettings(stability=1.5)}, 400, "invalid_voice_settings"),
        ({"voice_settings": VoiceSettings(speed=0)}, 400, "invalid_voice_settings"),
        ({"language_code": "de"}, 400, "invalid_request"),
    ],
)
def test_what_cannot_be_spoken_is_refused_in_their_words(
    acme: Tenant, cpu: Worker, client: ElevenLabs, fields: dict[str, Any], status: int, word: str
) -> None:
    error = refusal_of(client, **fields)
    assert (error.status_code, error.body["detail"]["status"]) == (status, word)
    assert error.body["detail"]["message"].endswith((".", ":", "`"))
    assert error.headers is not None
    assert error.body["detail"]["request_id"] == error.headers["request-id"]


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"text": 7}, ["body", "text"]),
        ({"text": None}, ["body", "text"]),
        ({"text": "nul \x00 inside"}, ["body", "text"]),
        ({"seed": -1}, ["body", "seed"]),
        ({"seed": 4294967296}, ["body", "seed"]),
        ({"model_id": 5}, ["body", "model_id"]),
        ({"apply_text_normalization": "never"}, ["body", "apply_text_normalization"]),
        ({"voice_settings": {"stability": "low"}}, ["body", "voice_settings", "stability"]),
        ({"previous_request_ids": [1]}, ["body", "previous_request_ids", 0]),
        ({"optimize_streaming_latency": 9}, ["query", "optimize_streaming_latency"]),
    ],
)
def test_a_wrong_shape_is_unprocessable(
    acme: Tenant, cpu: Worker, client: ElevenLabs, fields: dict[str, Any], loc: list[Any]
) -> None:
    error = refusal_of(client, **fields)
    assert isinstance(error, UnprocessableEntityError)
    assert [problem["loc"] for problem in error.body["detail"]] == [loc]
    assert all(set(problem) == {"loc", "msg", "type"} for problem in error.body["detail"])


def test_nothing_is_kept_of_what_is_not_to_be_logged(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    set_history_days(organization=acme.organization, days=30)
    audio_of(client, "Not this.", enable_logging=False)
    client.text_to_speech.convert_with_timestamps("heart", text="Nor this.", enable_logging=False)
    audio_of(client, "But this.")
    items = HistoryItem.objects.for_organization(acme.organization)
    until(items.exists, what="the history")
    assert [item.text for item in items] == ["But this."]


def test_no_key_and_a_wrong_one(acme: Tenant, cpu: Worker) -> None:
    with httpx.Client() as http:
        error = refusal_of(client_of(acme, http, key="nonsense"))
    assert (error.status_code, error.body["detail"]["status"]) == (401, "invalid_api_key")
    response = acme.client.post("/elevenlabs/v1/text-to-speech/heart", json={"text": "Hi."})
    assert response.status_code == 401
    assert response.json()["detail"]["status"] == "needs_authorization"
