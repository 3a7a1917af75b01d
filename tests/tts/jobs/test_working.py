"""A job from its text to its file, in this process, with a real worker."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np
import pytest

from apps.core import media
from apps.deployments.models import Worker
from apps.tts.jobs import events
from apps.tts.jobs.claims import Kind
from apps.tts.jobs.models import SpeechJob
from apps.tts.jobs.services import link_of
from gpu_worker.formats import FORMATS, Encoding
from tests.gpu_worker.audio.decoding import decode
from tests.tts.jobs.customer import Customer, fresh, work_off, work_once
from tests.tts.jobs.texts import prose


def test_a_long_text_becomes_one_file(anna: Customer, voice: Worker) -> None:
    text = prose(6_000)
    job = anna.job(text, title="The ferry", format="mp3")
    assert (job.state, job.characters, job.parts_total) == ("queued", 6_000, None)
    assert (job.model, job.voice) == ("hibari", "heart")

    assert work_once() is Kind.SPLIT
    job = fresh(job)
    assert job.parts_total is not None
    assert (job.state, job.stage, job.progress) == ("running", "speaking", 0)
    assert job.parts_total >= 3
    for done in range(1, job.parts_total + 1):
        assert work_once() is Kind.SPEAK
        assert fresh(job).parts_done == done
    assert fresh(job).stage == "assembling"
    parts = list(job.parts.all())
    assert all(media.exists(part.media_key) for part in parts)

    assert work_once() is Kind.ASSEMBLE
    assert work_once() is None
    job = fresh(job)
    assert (job.state, job.progress, job.error_code, job.waits_for) == ("completed", 1, "", "")
    assert job.characters_done == job.characters_charged == 6_000
    assert None not in {job.started_at, job.ended_at, job.expires_at}
    data = media.read(job.result_key)
    assert len(data) == job.result_bytes
    with av.open(io.BytesIO(data)) as container:
        assert container.streams.audio[0].codec_context.name == "mp3float"
        assert container.duration == pytest.approx(1000 * job.audio_ms, abs=50_000)
    seams = sum(1 for part in parts[:-1] if part.ending) * 650
    assert job.audio_ms == pytest.approx(sum(part.audio_ms for part in parts) + seams, abs=seams)
    assert not any(media.exists(part.media_key) for part in parts)


def test_each_part_is_a_request_like_any_other(anna: Customer, voice: Worker) -> None:
    text = prose(5_000)
    job = anna.job(text)
    work_off()
    records, parts = anna.records(), list(job.parts.all())
    assert [record.pk for record in records] == [part.record_id for part in parts]
    for record, part in zip(records, parts, strict=True):
        assert (record.state, record.surface, record.mode) == ("ok", "job", "live")
        assert (record.model, record.voice, record.key_id) == ("hibari", "heart", anna.key().pk)
        assert record.characters == record.characters_charged == part.characters == part.characters_charged
        assert record.audio_ms == pytest.approx(part.audio_ms, abs=2)
        assert record.deployment_id == voice.deployment_id
        assert record.request_id == f"job_{job.pk.hex}_{part.number}_1"
    assert sum(record.characters_charged for record in records) == len(text)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_plays_as_long_as_its_parts(anna: Customer, voice: Worker, format: Any) -> None:
    job = anna.job("One short sentence. " * 3 + "\n\n" + "And another one, to end with.", format=format)
    work_off()
    job = fresh(job)
    assert job.state == "completed", job.error_message
    encoding = Encoding.resolve(format, source_rate=24_000)
    decoded, rate = decode(media.read(job.result_key), encoding)
    assert 1000 * len(decoded) / rate == pytest.approx(job.audio_ms, abs=30)
    assert np.sqrt(np.mean(np.square(decoded))) > 0.01


def test_rate_and_bitrate_are_those_that_were_asked_for(anna: Customer, voice: Worker) -> None:
    job = anna.job("A short text.", format="mp3", sample_rate=44_100, bitrate=128_000)
    work_off()
    with av.open(io.BytesIO(media.read(fresh(job).result_key))) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.bit_rate) == (44_100, 128_000)


def test_speed_and_seed_reach_the_worker(anna: Customer, voice: Worker) -> None:
    text = "The same words at two speeds, so that one of them takes longer."
    jobs = [anna.job(text, speed=speed, seed=3) for speed in (0.6, 1.8)]
    work_off()
    slow, fast = (fresh(job) for job in jobs)
    assert slow.audio_ms > 2 * fast.audio_ms


def test_a_job_of_the_console_speaks_for_the_organization(anna: Customer, voice: Worker) -> None:
    job = anna.job("Hello from the console.", mode=None)
    work_off()
    (record,) = anna.records()
    assert (record.key_id, record.mode, record.surface) == (None, "live", "job")
    assert fresh(job).state == "completed"


def test_what_the_voice_cannot_speak_is_left_out(anna: Customer, voice: Worker) -> None:
    """As within one request: only a text that holds nothing at all is refused."""
    text = "Hello there, this is spoken.\n\n" + "你好，世界。" * 1_200 + "\n\nAnd so is this."
    job = anna.job(text)
    work_off()
    job = fresh(job)
    assert job.state == "completed", job.error_message
    states = [part.state for part in job.parts.all()]
    assert "skipped" in states
    assert "done" in states
    assert job.characters_done == len(text)
    assert job.characters_charged == sum(record.characters_charged for record in anna.records()) < len(text)

    nothing = anna.job("你好，世界。" * 10)
    work_off()
    nothing = fresh(nothing)
    assert (nothing.state, nothing.error_code, nothing.characters_charged) == ("failed", "cannot_speak", 0)


def test_the_end_of_a_job_is_told_in_its_transaction(anna: Customer, voice: Worker) -> None:
    told: list[tuple[str, str, int]] = []

    def note(event: str, job: SpeechJob) -> None:
        told.append((event, job.state, job.characters_charged))

    events.subscribe(note)
    events.subscribe(note)
    try:
        anna.job("Hello there.")
        anna.job("你好，世界。")
        work_off()
    finally:
        events._subscribers.remove(note)
    assert sorted(told) == [("job.completed", "completed", 12), ("job.failed", "failed", 0)]


def test_a_link_leads_to_the_file(anna: Customer, voice: Worker) -> None:
    job = anna.job("Hello there.", title="My “first” book: part 1", format="flac")
    work_off()
    link = link_of(fresh(job))
    assert link.url.startswith("http")
    assert fresh(job).filename == "My-first-book-part-1.flac"
