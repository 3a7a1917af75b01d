"""A job's audio is made in slices, so that no request holds up others for long."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from gpu_worker.audio import Encoding, Samples, encode_whole
from gpu_worker.engines.base import Utterance
from gpu_worker.errors import WorkerError
from gpu_worker.fair_pool import FairPool
from gpu_worker.jobs import Audio, Event, Job, PieceSpoken, Spoken
from gpu_worker.ordering import Script
from gpu_worker.production import Produced, Producer, WholeProducer
from gpu_worker.protocol import ErrorCode, Mark
from gpu_worker.rendering import Rendered, Renderer
from gpu_worker.text import Piece

RATE = 24_000


def tone(seconds: float) -> Samples:
    """Sound without a silent moment."""
    phase = np.arange(round(seconds * RATE)) * (2 * np.pi * 220 / RATE)
    samples: Samples = (0.3 * np.sin(phase)).astype(np.float32)
    return samples


def job_of(pieces: list[Piece], tenant: str = "") -> Job:
    """A job whose pieces are spoken already, each by a second of tone."""

    def utterance(piece: Piece, number: int, attempt: int) -> Utterance:
        raise AssertionError("no engine takes part")

    job = Job(
        "request",
        tenant,
        Script(pieces, None),
        utterance,
        sample_rate=RATE,
        is_stream=False,
        caught_up=lambda _: None,
    )
    events: list[Event] = []
    for piece in pieces:
        events += [Audio(piece, tone(1), ()), PieceSpoken(piece)]
    job.deliver([*events, Spoken()])
    return job


def producer_of(job: Job, format: str, pool: FairPool) -> Producer:
    """A stream of what it speaks."""
    encoding = Encoding.resolve(format, source_rate=RATE)
    return Producer(job, Renderer(RATE, speed=1, engine_speed=1), encoding, pool)


async def produced(producer: Producer) -> list[Produced]:
    """All slices."""
    slices = [await producer.next()]
    while not slices[-1].is_last:
        slices.append(await producer.next())
    return slices


@pytest.mark.parametrize("format", ["pcm", "mp3"])
async def test_silences_come_in_slices(format: str) -> None:
    pool = FairPool(1, "test")
    piece = Piece("One.", 0, 4, silence_before_ms=11_000, silence_after_ms=8_000)
    producer = producer_of(job_of([piece]), format, pool)
    told = 0
    slices: list[Produced] = []
    while not (slices and slices[-1].is_last):
        slices.append(await producer.next())
        assert producer.audio_ms - told <= 2000
        told = producer.audio_ms
    assert told == 20_000
    assert [mark for part in slices for mark in part.marks] == [Mark(20_000, 0, 4)]
    if format == "pcm":
        assert max(len(part.data) for part in slices) <= 2 * 2 * RATE
        assert sum(len(part.data) for part in slices) == 20 * 2 * RATE
    pool.close()


async def test_slices_make_the_same_file() -> None:
    pool = FairPool(1, "test")
    pieces = [Piece("One.", 0, 4, silence_after_ms=5_500), Piece("Two.", 4, 8)]
    encoding = Encoding.resolve("mp3", source_rate=RATE)
    renderer = Renderer(RATE, speed=1, engine_speed=1)
    producer = WholeProducer(job_of(pieces), renderer, encoding, pool)
    while not await producer.next():
        pass
    at_once = Renderer(RATE, speed=1, engine_speed=1).render(await job_of(pieces).next_events())
    assert b"".join(producer.finish()) == encode_whole(encoding, RATE, at_once.samples)
    pool.close()


async def test_a_small_request_has_its_turn_between_the_slices_of_large_ones() -> None:
    pool = FairPool(1, "test")
    order: list[str] = []
    may_go = threading.Event()
    blocking = asyncio.create_task(pool.run("", lambda: may_go.wait(10)))

    async def speak(tenant: str, silence_ms: int) -> None:
        producer = producer_of(
            job_of([Piece("One.", 0, 4, silence_after_ms=silence_ms)], tenant), "opus", pool
        )
        while not (await producer.next()).is_last:
            order.append(tenant)
        order.append(f"{tenant} is through")

    large = [asyncio.create_task(speak("large", 100_000)) for _ in range(3)]
    await asyncio.sleep(0)
    small = asyncio.create_task(speak("small", 0))
    await asyncio.sleep(0)
    may_go.set()
    await asyncio.gather(blocking, small, *large)
    assert order.index("small is through") <= 3
    assert order.count("large") == 3 * 50
    pool.close()


async def test_a_job_that_ends_is_given_up_between_two_slices() -> None:
    pool = FairPool(1, "test")
    for format in ("wav", "mp3"):
        job = job_of([Piece("One.", 0, 4, silence_before_ms=100_000)])
        producer = producer_of(job, format, pool)
        await producer.next()
        job.fail(WorkerError(ErrorCode.CANCELLED, "The caller left."))
        with pytest.raises(WorkerError) as ended:
            await producer.next()
        assert ended.value.code is ErrorCode.CANCELLED
        assert producer.audio_ms == 2000
    pool.close()


def test_parts_are_as_long_as_they_may_be() -> None:
    samples = [np.arange(count, dtype=np.float32) for count in (3, 4, 13)]
    marks = [Mark(1, 0, 4)]
    parts = list(Rendered(samples, marks, is_last=True).slices(5))
    assert [sum(len(run) for run in part.samples) for part in parts] == [5, 5, 5, 5]
    assert [part.marks for part in parts] == [[], [], [], marks]
    assert [part.is_last for part in parts] == [False, False, False, True]
    joined = np.concatenate([run for part in parts for run in part.samples])
    assert np.array_equal(joined, np.concatenate(samples))
    assert list(Rendered().slices(5)) == [Rendered()]
