"""Every format and parameter of the worker through the platform, decoded by FFmpeg."""

from __future__ import annotations

import io
from typing import Any

import av
import pytest

from apps.deployments.models import Worker
from tests.platform import SENTENCES, Tenant

G711 = {"mulaw": "mulaw", "alaw": "alaw"}
CASES = [
    ("wav", None, 24_000, "audio/wav"),
    ("wav", 8_000, 8_000, "audio/wav"),
    ("pcm", 44_100, 44_100, "audio/pcm;rate=44100;channels=1"),
    ("mp3", 44_100, 44_100, "audio/mpeg"),
    ("opus", 48_000, 48_000, "audio/ogg;codecs=opus"),
    ("aac", None, 24_000, "audio/aac"),
    ("flac", 16_000, 16_000, "audio/flac"),
    ("mulaw", None, 8_000, "audio/PCMU;rate=8000;channels=1"),
    ("alaw", None, 8_000, "audio/PCMA;rate=8000;channels=1"),
]


def seconds_of(data: bytes, format: str, rate: int) -> float:
    """How long it plays, by its bytes where they are bare samples, else by decoding it."""
    if format in {"pcm", "mulaw", "alaw"}:
        return len(data) / rate / (2 if format == "pcm" else 1)
    with av.open(io.BytesIO(data)) as file:
        return sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("format", "asked_rate", "rate", "media_type"), CASES)
def test_the_audio_is_as_long_in_every_format(
    acme: Tenant, cpu: Worker, format: str, asked_rate: int | None, rate: int, media_type: str, stream: bool
) -> None:
    response = acme.generate(format=format, sample_rate=asked_rate, stream=stream)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == media_type
    recorded = acme.settled().audio_ms / 1000
    # Coded formats are made of frames, and decoders keep what their encoders padded.
    assert seconds_of(response.content, format, rate) == pytest.approx(recorded, abs=0.08)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"format": "ogg"}, "format"),
        ({"format": "mp3", "sample_rate": 8_000}, "sample_rate"),
        ({"sample_rate": 23_999}, "sample_rate"),
        ({"format": "mp3", "bitrate": 33_000}, "bitrate"),
        ({"bitrate": 64_000}, "bitrate"),
        ({"temperature": 9}, "temperature"),
        ({"exaggeration": "much"}, "exaggeration"),
        ({"normalize": "never"}, "normalize"),
        ({"unknown_tags": True}, "unknown_tags"),
        ({"language": 5}, "language"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_admitted(
    acme: Tenant, cpu: Worker, fields: dict[str, Any], param: str
) -> None:
    response = acme.generate(**fields)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert acme.records() == []


def test_tags_and_normalization_are_the_callers_choice(acme: Tenant, cpu: Worker) -> None:
    text = "[whistles] It costs $12,345,678.90."
    spoken = acme.generate(text, unknown_tags="speak", seed=1)
    dropped = acme.generate(text, unknown_tags="drop", seed=1)
    assert len(dropped.content) < len(spoken.content)
    refused = acme.generate(text, unknown_tags="error")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "text")
    plain = acme.generate(text, unknown_tags="drop", normalize="off", seed=1)
    assert plain.content != dropped.content


def test_parameters_that_an_engine_lacks_do_no_harm(acme: Tenant, cpu: Worker) -> None:
    response = acme.generate(SENTENCES, temperature=0.7, exaggeration=0.4, top_p=0.9, min_p=0.1)
    assert response.status_code == 200
