"""`stream_format: "sse"`: the events as they are on the wire, and as the SDK's Stream reads them."""

from __future__ import annotations

import base64
import json
import math
import time
from pathlib import Path
from typing import Any

import openai
import pytest

from apps.deployments.models import Worker
from tests.gpu_worker.worker_process import running_worker
from tests.platform import SENTENCES, Tenant, deploy, wait_for_route

TONES = "A tone of some length. " * 6


class Event(openai.BaseModel):
    type: str
    audio: str | None = None
    usage: dict[str, int] | None = None


def stream_of(client: openai.OpenAI, **body: Any) -> openai.Stream[Event]:
    """What the SDK makes of events; its speech methods hand out bytes alone."""
    return client.post(
        "/audio/speech",
        body={"model": "tts-1", "voice": "alloy", "stream_format": "sse"} | body,
        cast_to=Event,
        stream=True,
        stream_cls=openai.Stream[Event],
    )


def test_the_wire(acme: Tenant, cpu: Worker, client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=SENTENCES, response_format="pcm", stream_format="sse"
    ) as response:
        assert response.headers["content-type"] == "text/event-stream"
        lines = list(response.iter_lines())
    assert all(line == "" or line.startswith("data: ") for line in lines)
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line]
    assert all(event.keys() == {"type", "audio"} for event in events[:-1])
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    audio = b"".join(base64.b64decode(event["audio"], validate=True) for event in events[:-1])
    record = acme.settled()
    assert len(audio) / 48 == pytest.approx(record.audio_ms, abs=2)
    twentieths = math.ceil(record.audio_ms / 50)
    usage = {
        "input_tokens": len(SENTENCES),
        "output_tokens": twentieths,
        "total_tokens": len(SENTENCES) + twentieths,
    }
    assert events[-1] == {"type": "speech.audio.done", "usage": usage}
    assert record.characters_charged == len(SENTENCES)


def test_events_hold_what_the_audio_stream_holds(cpu: Worker, client: openai.OpenAI) -> None:
    for format in ("wav", "flac"):
        body = {"input": "Hello.", "response_format": format, "seed": 3}
        plain = client.audio.speech.create(
            model="tts-1",
            voice="alloy",
            input="Hello.",
            response_format=format,  # type: ignore[arg-type]
            extra_body={"seed": 3},
        ).content
        deltas = [event.audio for event in stream_of(client, **body) if event.audio]
        assert b"".join(base64.b64decode(delta) for delta in deltas) == plain


def test_events_come_as_audio_is_made(tone: Worker, client: openai.OpenAI) -> None:
    started = time.monotonic()
    with stream_of(client, model="tone", voice="tone", input=TONES) as events:
        arrived = [time.monotonic() - started for _ in events]
    assert len(arrived) > 3
    assert arrived[0] < arrived[-1] / 2


def test_a_worker_that_breaks_off_is_told_as_an_error(
    acme: Tenant, client: openai.OpenAI, tmp_path: Path
) -> None:
    with running_worker(tmp_path, ENGINE="tone", THREADS="1", TONE_REAL_TIME_FACTOR="0.2") as worker:
        deploy(worker, name="fragile")
        wait_for_route(acme, model="tone")
        events = stream_of(client, model="tone", voice="tone", input=TONES * 5, response_format="pcm")
        received = 0
        while received < 300_000:
            received += len(base64.b64decode(next(events).audio or ""))
        worker.stop()
        with pytest.raises(openai.APIError) as refused:
            list(events)
    assert (refused.value.type, refused.value.code) == ("server_error", "speech_failed")
    assert "broke off" in refused.value.message
    record = acme.settled()
    assert (record.state, record.error_code) == ("cut", "worker_gone")
    assert 0 < record.characters_charged < record.characters
