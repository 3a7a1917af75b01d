"""Parts joined to one stream: held against one request for the same text, by numbers."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import httpx
import numpy as np
import pytest

from apps.tts.jobs.joining import Edges, Part, Samples, edges_of, joined, samples_of
from apps.tts.jobs.splitting import spans_of
from gpu_worker.text import Ending
from tests.gpu_worker.worker_process import WorkerProcess
from tests.tts.jobs.texts import prose

RATE = 24_000
MS = RATE // 1000


def tone(milliseconds: int, level: float = 0.3, rate: int = RATE) -> Samples:
    count = milliseconds * rate // 1000
    return (level * np.sin(2 * np.pi * 220 * np.arange(count) / rate)).astype(np.float32)


def quiet(milliseconds: int) -> Samples:
    return np.zeros(milliseconds * MS, np.float32)


def part(samples: Samples, ending: Ending | None, rate: int = RATE) -> Part:
    chunks = [samples[at : at + rate] for at in range(0, len(samples), rate)]
    return Part(rate, edges_of(samples, rate), ending, lambda: chunks)


def whole(parts: list[Part], speed: float = 1.0) -> Samples:
    return np.concatenate(list(joined(parts, speed=speed)))


def silences(samples: Samples) -> list[int]:
    """Silences of 100 ms and more, to 5 ms, in ms."""
    frames = samples[: len(samples) // 120 * 120].reshape(-1, 120)
    loud = np.flatnonzero(np.sqrt(np.mean(np.square(frames), axis=1)) > 0.0015)
    return [5 * int(gap - 1) for gap in np.diff(loud) if gap > 20]


def test_edges_are_measured_beside_the_sound() -> None:
    samples = np.concatenate([quiet(45), tone(400), quiet(60)])
    edges = edges_of(samples, RATE)
    assert edges.lead == pytest.approx(45 * MS, abs=5 * MS)
    assert edges.tail == pytest.approx(60 * MS, abs=5 * MS)
    assert not edges.ends_in_sound
    hiss = np.random.default_rng(1).normal(0, 0.0004, 400 * MS).astype(np.float32)
    assert edges_of(np.concatenate([hiss, tone(400)]), RATE).lead == pytest.approx(400 * MS, abs=5 * MS)
    assert edges_of(tone(400), RATE) == Edges(0, 0, True)
    assert edges_of(quiet(100), RATE) == Edges(100 * MS, 100 * MS, False)
    assert edges_of(np.zeros(0, np.float32), RATE) == Edges(0, 0, False)


@pytest.mark.parametrize(
    ("ending", "pause"), [("word", 60), ("clause", 180), ("sentence", 350), ("paragraph", 650)]
)
@pytest.mark.parametrize("speed", [1.0, 0.5, 2.0])
def test_pauses_are_those_within_a_request(ending: Ending, pause: int, speed: float) -> None:
    one = np.concatenate([quiet(45), tone(500), quiet(60)])
    samples = whole([part(one, ending), part(one, "paragraph")], speed)
    expected = len(one) + (500 * MS) + 60 * MS + round(pause / speed * MS) - 60 * MS
    if pause / speed < 60:  # what the worker left is never cut behind a sound
        expected = len(one) + 500 * MS + 60 * MS
    assert len(samples) == pytest.approx(expected, abs=5 * MS)


def test_a_silence_that_was_asked_for_is_left_as_it_is() -> None:
    one = np.concatenate([tone(300), quiet(2_000)])
    samples = whole([part(one, None), part(np.concatenate([quiet(45), tone(300)]), "paragraph")])
    assert silences(samples) == [pytest.approx(2_045, abs=10)]


def test_what_ends_amid_sound_runs_on() -> None:
    assert len(whole([part(tone(300), "sentence"), part(tone(300), "paragraph")])) == 600 * MS


def test_parts_are_as_loud_as_the_first() -> None:
    samples = whole([part(tone(9_000, 0.3), "sentence"), part(tone(9_000, 0.24), "paragraph")])
    levels = [float(np.sqrt(np.mean(np.square(half)))) for half in (samples[:RATE], samples[-RATE:])]
    assert levels[1] == pytest.approx(levels[0], rel=0.05)
    # A whisper stays quieter than speech: 3 dB at most.
    samples = whole([part(tone(2_000, 0.3), "sentence"), part(tone(2_000, 0.03), "paragraph")])
    assert float(np.abs(samples[-RATE:]).max()) == pytest.approx(0.03 * 10 ** (3 / 20), rel=0.02)


def test_a_part_of_another_rate_is_brought_to_the_first_ones() -> None:
    samples = whole([part(tone(1_000), "sentence"), part(tone(1_000, rate=48_000), "paragraph", 48_000)])
    assert len(samples) == pytest.approx(2_000 * MS, abs=MS)
    crossings = np.count_nonzero(np.diff(np.sign(samples[-RATE // 2 :])))
    assert crossings == pytest.approx(220, abs=3)


def test_a_job_sounds_like_one_request(cpu_worker: WorkerProcess) -> None:
    """The engine draws each piece anew, so that lengths differ by a little; pauses and seams do not."""

    def spoken(text: str) -> Samples:
        body = {"text": text, "format": "pcm", "seed": 5}
        answer = httpx.post(f"{cpu_worker.url}/generate", json=body, timeout=60)
        assert answer.status_code == 200
        return samples_of(answer.content)

    text = prose(5_000)
    spans = spans_of(text, longest=1_200)
    assert len(spans) >= 5
    parts = [part(spoken(text[span.start : span.stop]), span.ending) for span in spans]
    one, many = spoken(text), whole(parts)

    assert len(many) == pytest.approx(len(one), rel=0.02)
    assert max(silences(many)) <= max(silences(one)) + 10
    for length, differing in ((350, 4), (650, 0)):  # between sentences, between paragraphs
        counts = [sum(abs(gap - length) <= 20 for gap in silences(samples)) for samples in (one, many)]
        assert counts[0] > 10
        assert counts[1] == pytest.approx(counts[0], abs=differing)

    assert np.abs(np.diff(many)).max() <= np.abs(np.diff(one)).max() * 1.05
    at = 0
    for made, following in pairwise(parts):
        at += sum(map(len, made.chunks()))
        seam = many[at - 30 * MS : at + 30 * MS]
        assert np.abs(np.diff(seam)).max() < 0.02, "a click"
        pause = 650 if made.ending == "paragraph" else 350
        at += pause * MS - made.edges.tail - following.edges.lead
    assert at + sum(map(len, parts[-1].chunks())) == len(many)
    assert Counter(made.ending for made in parts)["paragraph"] >= 1
