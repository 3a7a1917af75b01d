"""Speech with the times of its characters: from the engine where it knows them, else an honest estimate."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from elevenlabs import AsyncElevenLabs, ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.types import CharacterAlignmentResponseModel

from apps.deployments.models import Worker
from apps.usage.models import UsageRecord
from apps.usage.services import set_limits
from gpu_worker.text import speakable
from tests.platform import Tenant
from tests.tts.elevenlabs.conftest import client_of
from tests.tts.test_formats import seconds_of

TEXT = "The bill is $1,234.56, [wow] due today. Doctor Smith paid it. [pause:1s] Nobody asked him why."
WORDS = "One two three four five. Six seven eight nine ten, eleven twelve."


def moments_of(alignment: CharacterAlignmentResponseModel) -> list[float]:
    starts, ends = alignment.character_start_times_seconds, alignment.character_end_times_seconds
    return [moment for pair in zip(starts, ends, strict=True) for moment in pair]


def assert_aligned(alignment: Any, characters: Sequence[str], *, until: float) -> None:
    assert alignment.characters == list(characters)
    moments = moments_of(alignment)
    assert moments == sorted(moments)
    assert moments[0] >= 0
    assert moments[-1] <= until


def start_of(alignment: Any, words: str) -> float:
    found: float = alignment.character_start_times_seconds["".join(alignment.characters).index(words)]
    return found


def end_of(alignment: Any, words: str) -> float:
    at = "".join(alignment.characters).index(words) + len(words) - 1
    found: float = alignment.character_end_times_seconds[at]
    return found


def joined(chunks: Sequence[Any], field: str) -> CharacterAlignmentResponseModel:
    """The alignments of a stream's lines in a row, as ElevenLabs' own example joins them."""
    told = [getattr(chunk, field) for chunk in chunks if getattr(chunk, field) is not None]
    names = ("characters", "character_start_times_seconds", "character_end_times_seconds")
    return CharacterAlignmentResponseModel(
        **{name: [value for alignment in told for value in getattr(alignment, name)] for name in names}
    )


def first_sounds(pcm: bytes, *, rate: int) -> list[float]:
    """When sound begins after at least 0.25 s of silence, in seconds."""
    samples = np.abs(np.frombuffer(pcm, "<i2").astype(float)) > 300
    at = np.flatnonzero(samples) / rate
    return [float(at[index + 1]) for index in np.flatnonzero(np.diff(at) > 0.25)]


def test_whole_speech_with_an_estimate_that_says_so(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    with_raw = client.text_to_speech.with_raw_response
    response = with_raw.convert_with_timestamps("heart", text=TEXT, output_format="wav_24000")
    timed = response.data
    audio = base64.b64decode(timed.audio_base_64)
    seconds = acme.settled().audio_ms / 1000
    assert seconds_of(audio, "wav", 24_000) == pytest.approx(seconds, abs=0.002)
    assert_aligned(timed.alignment, TEXT, until=seconds)
    assert timed.alignment.character_end_times_seconds[-1] == pytest.approx(seconds, abs=0.001)
    said = speakable(TEXT, unknown_tags="drop").text
    assert "one thousand two hundred" in said
    assert_aligned(timed.normalized_alignment, said, until=seconds)
    assert timed.alignment_source == "estimated"
    assert response.headers["x-alignment"] == "estimated"
    assert response.headers["character-cost"] == str(len(TEXT))


@pytest.mark.parametrize("speed", [0.8, 1.0, 1.2])
def test_an_estimate_finds_the_beginnings_of_sentences(
    acme: Tenant, cpu: Worker, client: ElevenLabs, speed: float
) -> None:
    text = "The first sentence stands here and is not short. The second one follows it, no shorter either."
    timed = client.text_to_speech.convert_with_timestamps(
        "heart", text=text, output_format="pcm_24000", voice_settings={"speed": speed}, seed=3
    )
    sounds = first_sounds(base64.b64decode(timed.audio_base_64), rate=24_000)
    estimate = start_of(timed.alignment, "The second")
    assert min(abs(sound - estimate) for sound in sounds) < 0.1


def test_an_engine_that_knows_its_words_is_believed(acme: Tenant, tone: Worker, client: ElevenLabs) -> None:
    """The tone engine takes a fifteenth of a second for each character of what it says."""
    timed = client.text_to_speech.convert_with_timestamps("tone", text=WORDS, output_format="pcm_24000")
    seconds = acme.settled().audio_ms / 1000
    assert timed.alignment_source == "engine"
    assert_aligned(timed.alignment, WORDS, until=seconds)
    assert timed.alignment.character_end_times_seconds[-1] == pytest.approx(seconds, abs=0.001)
    first = WORDS.split(". ")[0]
    for word in first.split():
        expected = (first.index(word) + len(word)) / 15
        assert end_of(timed.alignment, word) == pytest.approx(expected, abs=0.12), word


def test_a_stream_with_times_as_it_is_made(acme: Tenant, tone: Worker, client: ElevenLabs) -> None:
    text = WORDS * 3
    started = time.monotonic()
    lines = client.text_to_speech.stream_with_timestamps("tone", text=text, output_format="pcm_24000")
    chunks = [next(lines)]
    first_after = time.monotonic() - started
    chunks += list(lines)
    assert first_after < (time.monotonic() - started) / 3
    whole = client.text_to_speech.convert_with_timestamps("tone", text=text, output_format="pcm_24000")
    assert b"".join(base64.b64decode(chunk.audio_base_64) for chunk in chunks) == base64.b64decode(
        whole.audio_base_64
    )
    alignment = joined(chunks, "alignment")
    assert alignment.characters == whole.alignment.characters
    assert moments_of(alignment) == pytest.approx(moments_of(whole.alignment), abs=0.001)
    said = joined(chunks, "normalized_alignment")
    assert said.characters == whole.normalized_alignment.characters
    assert {chunk.alignment_source for chunk in chunks} == {"engine"}


def test_no_times_come_before_the_audio_they_are_of(acme: Tenant, tone: Worker, client: ElevenLabs) -> None:
    heard = 0.0
    for chunk in client.text_to_speech.stream_with_timestamps("tone", text=WORDS, output_format="pcm_24000"):
        heard += len(base64.b64decode(chunk.audio_base_64)) / 48_000
        if chunk.alignment is not None:
            assert chunk.alignment.character_end_times_seconds[-1] <= heard + 0.001


@pytest.mark.parametrize("output_format", ["mp3_44100_128", "wav_16000", "opus_48000_64", "ulaw_8000"])
async def test_the_asynchronous_client_streams_times_of_any_format(
    acme: Tenant, cpu: Worker, async_client: AsyncElevenLabs, output_format: Any
) -> None:
    lines = async_client.text_to_speech.stream_with_timestamps(
        "heart", text=TEXT, output_format=output_format
    )
    chunks = [chunk async for chunk in lines]
    audio = b"".join(base64.b64decode(chunk.audio_base_64) for chunk in chunks)
    format, rate = output_format.split("_")[:2]
    seconds = seconds_of(audio, {"ulaw": "mulaw"}.get(format, format), int(rate))
    alignment = joined(chunks, "alignment")
    assert_aligned(alignment, TEXT, until=seconds + 0.001)
    assert moments_of(alignment)[-1] == pytest.approx(seconds, abs=0.08)
    # Each sentence comes as soon as it is spoken.
    assert sum(chunk.alignment is not None for chunk in chunks) >= 3


def test_lines_are_json_and_nothing_else(acme: Tenant, cpu: Worker) -> None:
    response = acme.client.post(
        "/elevenlabs/v1/text-to-speech/heart/stream/with-timestamps",
        json={"text": "Two\nlines. Café 👋🏽."},
        headers={"xi-api-key": acme.live},
    )
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["x-alignment"] == "estimated"
    *lines, rest = response.content.split(b"\n")
    assert rest == b""
    keys = {"audio_base64", "alignment", "normalized_alignment", "alignment_source"}
    assert all(set(json.loads(line)) == keys for line in lines)


def test_who_leaves_pays_for_the_times_that_were_sent(acme: Tenant, tone: Worker) -> None:
    text = WORDS * 12
    told = 0
    request = acme.client.build_request(
        "POST",
        "/elevenlabs/v1/text-to-speech/tone/stream/with-timestamps?output_format=pcm_24000",
        json={"text": text},
        headers={"xi-api-key": acme.live},
    )
    response = acme.client.send(request, stream=True)
    for line in response.iter_lines():
        alignment = json.loads(line)["alignment"]
        told += len(alignment["characters"]) if alignment else 0
        if told > 60:
            break
    response.close()
    record = acme.settled()
    assert record.state == UsageRecord.State.CANCELLED
    # What was in the sockets at that moment was sent as well.
    assert told <= record.characters_charged < len(text) / 2


def test_refusals_come_before_the_first_line(acme: Tenant, cpu: Worker) -> None:
    for path in ("with-timestamps", "stream/with-timestamps"):
        response = acme.client.post(
            f"/elevenlabs/v1/text-to-speech/nobody/{path}",
            json={"text": "Hi."},
            headers={"xi-api-key": acme.live},
        )
        assert response.status_code == 404
        assert response.json()["detail"]["status"] == "voice_not_found"


def test_clients_come_back_when_it_is_less_busy(acme: Tenant, tone: Worker) -> None:
    """JSON calls are tried again when the refusal says; `convert` never is."""
    set_limits(
        organization=acme.organization,
        requests_per_minute=None,
        concurrent_requests=1,
        characters_per_request=None,
    )
    seen: list[httpx.Response] = []
    with httpx.Client(timeout=60, event_hooks={"response": [seen.append]}) as http:
        client = client_of(acme, http)
        lines = client.text_to_speech.stream("tone", text="x " * 70)
        next(lines)
        with pytest.raises(ApiError) as caught:
            b"".join(client.text_to_speech.convert("tone", text="Hi."))
        timed = client.text_to_speech.convert_with_timestamps("tone", text="Hi.")
        b"".join(lines)
    assert caught.value.status_code == 429
    assert caught.value.body["detail"]["status"] == "too_many_concurrent_requests"
    assert timed.alignment is not None
    _, refused, *again = seen
    assert [response.status_code for response in again][-1] == 200
    assert 2 <= len(again) <= 3
    for response in (refused, *again[:-1]):
        assert response.status_code == 429
        assert response.headers["current-concurrent-requests"] == "1"
        assert response.headers["maximum-concurrent-requests"] == "1"
        reset = int(response.headers["x-ratelimit-reset"])
        assert reset == pytest.approx(time.time() + int(response.headers["retry-after"]), abs=5)
