"""POST /v1/audio/speech through OpenAI's own SDK: sync, async and streaming, in every format."""

from __future__ import annotations

import io
import struct
import time
from pathlib import Path
from typing import Any

import av
import openai
import pytest

from apps.deployments.models import Worker
from apps.tts.openai.voices import VOICES
from tests.platform import SENTENCES, Tenant

UNKNOWN_SIZES = (0xFFFFFFFF, 0xFFFFFFFF)
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


def seconds_of(data: bytes, format: str) -> float:
    if format == "pcm":
        return len(data) / 2 / 24_000
    with av.open(io.BytesIO(data)) as file:
        return sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))


@pytest.mark.parametrize("format", MEDIA_TYPES)
def test_every_format_is_that_and_whole(
    acme: Tenant, cpu: Worker, client: openai.OpenAI, format: Any
) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input=SENTENCES, response_format=format)
    assert answer.response.headers["Content-Type"] == MEDIA_TYPES[format]
    record = acme.settled()
    # Coded formats are made of frames, and decoders keep what their encoders padded.
    assert seconds_of(answer.content, format) == pytest.approx(record.audio_ms / 1000, abs=0.08)
    assert record.audio_ms > 2000
    assert (record.surface, record.state, record.model) == ("openai", "ok", "hibari")
    assert record.characters == record.characters_charged == len(SENTENCES)


def test_mp3_is_what_is_made_where_nothing_is_asked(cpu: Worker, client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="Hello.")
    assert answer.response.headers["Content-Type"] == "audio/mpeg"
    assert seconds_of(answer.content, "mp3") > 0.3


def test_a_wav_says_that_its_sizes_are_not_known(cpu: Worker, client: openai.OpenAI) -> None:
    wav = client.audio.speech.create(
        model="tts-1", voice="alloy", input="Hello.", response_format="wav"
    ).content
    assert struct.unpack_from("<4xI32xI", wav) == UNKNOWN_SIZES
    assert struct.unpack_from("<22xHIIHH", wav) == (1, 24_000, 48_000, 2, 16)


def test_it_is_written_to_a_file(cpu: Worker, client: openai.OpenAI, tmp_path: Path) -> None:
    client.audio.speech.create(model="tts-1", voice="nova", input="Hello.").write_to_file(
        tmp_path / "hello.mp3"
    )
    assert seconds_of((tmp_path / "hello.mp3").read_bytes(), "mp3") > 0.3


def test_a_stream_begins_before_its_end_is_made(acme: Tenant, tone: Worker, client: openai.OpenAI) -> None:
    started = time.monotonic()
    with client.audio.speech.with_streaming_response.create(
        model="tone", voice="tone", input="A tone of some length. " * 6, response_format="pcm"
    ) as response:
        chunks = response.iter_bytes()
        received = len(next(chunks))
        first_after = time.monotonic() - started
        received += sum(len(chunk) for chunk in chunks)
    assert first_after < (time.monotonic() - started) / 2
    assert received / 48 == pytest.approx(acme.settled().audio_ms, abs=2)


def test_a_stream_is_written_to_a_file(cpu: Worker, client: openai.OpenAI, tmp_path: Path) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="Hello.", response_format="flac"
    ) as response:
        response.stream_to_file(tmp_path / "hello.flac")
    assert seconds_of((tmp_path / "hello.flac").read_bytes(), "flac") > 0.3


async def test_async(cpu: Worker, async_client: openai.AsyncOpenAI) -> None:
    answer = await async_client.audio.speech.create(model="tts-1-hd", voice="alloy", input="Hello.")
    assert seconds_of(answer.content, "mp3") > 0.3


async def test_async_stream(cpu: Worker, async_client: openai.AsyncOpenAI) -> None:
    async with async_client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="Hello.", response_format="pcm"
    ) as response:
        received = b"".join([chunk async for chunk in response.iter_bytes()])
    assert seconds_of(received, "pcm") > 0.3


def test_models_of_openai_are_the_platforms_own_and_ours_go_by_name(
    cpu: Worker, client: openai.OpenAI
) -> None:
    dated = ("tts-1-1106", "tts-1-hd-1106", "gpt-4o-mini-tts-2025-12-15")
    for model in ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", *dated, "hibari"):
        answer = client.audio.speech.create(model=model, voice="alloy", input="Hi.")
        assert answer.response.headers["X-Model"] == "hibari"


def test_voices_by_our_name_and_by_openais_as_a_string_and_as_an_object(
    cpu: Worker, client: openai.OpenAI
) -> None:
    voices: list[Any] = ["heart", {"id": "heart"}, "alloy", {"id": "alloy"}]
    for voice in voices:
        answer = client.audio.speech.create(model="tts-1", voice=voice, input="Hi.")
        assert answer.response.headers["X-Voice"] == "heart"


def test_each_of_openais_voices_is_ours_by_the_table_or_says_which_there_are(
    acme: Tenant, cpu: Worker, client: openai.OpenAI
) -> None:
    there = cpu.capabilities["voices"]
    usable = [name for name, ours in VOICES.items() if ours in there]
    for voice in usable:
        answer = client.audio.speech.create(model="tts-1", voice=voice, input="Hi.")
        assert answer.response.headers["X-Voice"] == VOICES[voice]
    for voice in VOICES.keys() - set(usable):
        with pytest.raises(openai.NotFoundError) as refused:
            client.audio.speech.create(model="tts-1", voice=voice, input="Hi.")
        assert (refused.value.code, refused.value.param) == ("voice_not_found", "voice")
        for name in (voice, VOICES[voice], *there, *usable):
            assert name in refused.value.message
    acme.settled()
    assert len(acme.records()) == len(usable)


def test_all_thirteen_voices_of_openai_are_in_the_table() -> None:
    openais = "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar"
    assert set(VOICES) == set(openais.split())


def test_speed(cpu: Worker, client: openai.OpenAI) -> None:
    def seconds(speed: float) -> float:
        answer = client.audio.speech.create(
            model="tts-1", voice="alloy", input=SENTENCES, speed=speed, response_format="pcm"
        )
        return seconds_of(answer.content, "pcm")

    usual = seconds(1.0)
    assert seconds(4.0) < usual / 2.5
    assert seconds(0.25) > usual * 2.5


def test_parameters_of_our_engines_arrive_flat_and_others_are_passed_over(
    cpu: Worker, client: openai.OpenAI
) -> None:
    def spoken(**extra: Any) -> bytes:
        return client.audio.speech.create(
            model="tts-1",
            voice="alloy",
            input=SENTENCES,
            response_format="pcm",
            instructions="Speak like a pirate.",
            extra_body={"exaggeration": 0.7, "cfg_weight": 0.3, "temperature": 0.8, **extra},
        ).content

    assert spoken(seed=7) == spoken(seed=7, text="else", format="wav", tomorrows_field={"a": [1]})
    with pytest.raises(openai.BadRequestError) as refused:
        spoken(exaggeration=7)
    assert refused.value.param == "exaggeration"


def test_words_in_brackets_that_are_no_tag_are_left_out(cpu: Worker, client: openai.OpenAI) -> None:
    def spoken(text: str, **extra: Any) -> bytes:
        return client.audio.speech.create(
            model="tts-1",
            voice="alloy",
            input=text,
            response_format="pcm",
            extra_body={"seed": 1, **extra},
        ).content

    dropped = spoken("[whistles loudly] Hello there.")
    assert len(dropped) == pytest.approx(len(spoken("Hello there.")), rel=0.2)
    assert len(spoken("[whistles loudly] Hello there.", unknown_tags="speak")) > 1.3 * len(dropped)


def test_every_answer_tells_its_request_its_time_and_where_the_caller_stands(
    cpu: Worker, client: openai.OpenAI
) -> None:
    answer = client.audio.speech.create(
        model="tts-1", voice="alloy", input="Hi.", extra_headers={"X-Request-Id": "order-4711-b"}
    )
    headers = answer.response.headers
    assert headers["x-request-id"] == "order-4711-b"
    assert 0 <= int(headers["openai-processing-ms"]) < 30_000
    limit, remaining = (int(headers[f"x-ratelimit-{name}-requests"]) for name in ("limit", "remaining"))
    assert 0 <= remaining < limit
    assert headers["x-ratelimit-reset-requests"].endswith("s")


def test_a_test_key_speaks_with_the_cpu_engine_alone(
    acme: Tenant, tone: Worker, cpu: Worker, client: openai.OpenAI
) -> None:
    tester = client.with_options(api_key=acme.test)
    answer = tester.audio.speech.create(model="tts-1", voice="alloy", input="Hi.")
    assert answer.response.headers["X-Model"] == "hibari"
    with pytest.raises(openai.NotFoundError) as refused:
        tester.audio.speech.create(model="tone", voice="tone", input="Hi.")
    assert refused.value.code == "model_not_found"
    assert acme.settled().mode == "test"


def test_a_text_of_4096_characters_is_spoken(acme: Tenant, tone: Worker, client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tone", voice="tone", input="x " * 2048, response_format="pcm"
    ) as response:
        assert next(response.iter_bytes())
    assert acme.settled().characters == 4096
