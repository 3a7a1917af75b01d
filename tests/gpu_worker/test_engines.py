"""Engines on their own: sessions that utterances join and leave."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Chunk, Done, Engine, Failed, Session, Utterance, Word, derived_seed
from gpu_worker.engines.cpu import CpuEngine
from gpu_worker.engines.tone import ToneEngine
from gpu_worker.references.reference import Reference


def utterance(
    text: str, *, engine: Engine, seed: int = 1, speed: float = 1.0, reference: Reference | None = None
) -> Utterance:
    """One piece in the engine's own voice, or in that of a reference."""
    return Utterance(
        text=text,
        model=engine.capabilities.models[0],
        voice=reference.sha256 if reference else engine.capabilities.voices[0],
        language="en",
        speed=speed,
        seed=seed,
        reference=reference,
    )


def chunks_of(session: Session, slots: list[int]) -> dict[int, list[Chunk]]:
    """Steps until these slots are done."""
    chunks: dict[int, list[Chunk]] = {slot: [] for slot in slots}
    left = set(slots)
    while left:
        for slot, outcome in session.step():
            assert not isinstance(outcome, Failed), outcome.error
            if isinstance(outcome, Chunk):
                chunks[slot].append(outcome)
            else:
                left.remove(slot)
    return chunks


def samples_of(engine: Engine, text: str, *, seed: int = 1, speed: float = 1.0) -> Samples:
    """All samples of one piece."""
    session = engine.open_session()
    slot = session.join(utterance(text, engine=engine, seed=seed, speed=speed))
    chunks = chunks_of(session, [slot])[slot]
    return np.concatenate([chunk.samples for chunk in chunks]) if chunks else np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def cpu() -> CpuEngine:
    """The CPU engine, loaded."""
    return CpuEngine.load()


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40))
def test_the_cpu_engine_takes_any_text(cpu: CpuEngine, text: str) -> None:
    samples = samples_of(cpu, text)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    if not cpu.can_speak(text):
        assert not len(samples)


@pytest.mark.parametrize("text", ["", " ", "😀", "中文", "...", "—", "'", "привет", "\x00", "🇬🇧"])
def test_the_cpu_engine_knows_what_it_has_no_sounds_for(cpu: CpuEngine, text: str) -> None:
    assert not cpu.can_speak(text)


@pytest.mark.parametrize("text", ["a", "7", "½", "Ⅳ", "１２", "é", "&", "⑴", "9" * 60, "中文 and more"])
def test_the_cpu_engine_speaks_what_it_says_it_can(cpu: CpuEngine, text: str) -> None:
    assert cpu.can_speak(text)
    assert len(samples_of(cpu, text)) > 0.2 * cpu.capabilities.sample_rate


def test_the_cpu_engine_repeats_itself_for_a_seed_alone(cpu: CpuEngine) -> None:
    assert np.array_equal(samples_of(cpu, "Hello.", seed=1), samples_of(cpu, "Hello.", seed=1))
    assert not np.array_equal(samples_of(cpu, "Hello.", seed=1), samples_of(cpu, "Hello.", seed=2))


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_a_tone_is_as_long_as_speech(speed: float) -> None:
    samples = samples_of(ToneEngine(), "x" * 150, speed=speed)
    assert len(samples) == 240_000 / speed
    assert 0.29 < np.abs(samples).max() <= 0.3
    assert np.abs(np.diff(samples)).max() < 0.02


def test_a_batch_of_tones_sounds_like_each_alone() -> None:
    engine = ToneEngine(batch=3)
    texts = ["Short.", "A text of some length.", "A text that is longer than the other two are."]
    session = engine.open_session()
    slots = [session.join(utterance(text, engine=engine)) for text in texts]
    chunks = chunks_of(session, slots)
    for slot, text in zip(slots, texts, strict=True):
        together = np.concatenate([chunk.samples for chunk in chunks[slot]])
        assert np.array_equal(together, samples_of(engine, text))


def test_an_utterance_joins_and_leaves_a_running_batch() -> None:
    engine = ToneEngine(batch=2)
    session = engine.open_session()
    first = session.join(utterance("x" * 150, engine=engine))
    assert [slot for slot, _ in session.step()] == [first]
    second = session.join(utterance("y" * 150, engine=engine))
    assert second != first
    assert [slot for slot, _ in session.step()] == [first, second]
    session.leave(first)
    assert [slot for slot, _ in session.step()] == [second]
    assert sum(len(chunk.samples) for chunk in chunks_of(session, [second])[second]) == 240_000 - 2 * 2400


def test_a_tone_knows_when_it_speaks_a_word() -> None:
    engine = ToneEngine()
    session = engine.open_session()
    slot = session.join(utterance("One two three.", engine=engine))
    position = 0
    words: list[Word] = []
    for chunk in chunks_of(session, [slot])[slot]:
        position += len(chunk.samples)
        assert all(word.end_sample <= position for word in chunk.words)
        words += chunk.words
    assert words == [Word(0, 3, 0, 4800), Word(4, 7, 6400, 11_200), Word(8, 14, 12_800, 22_400)]


def test_a_tone_takes_its_pitch_from_its_reference_and_from_no_other() -> None:
    engine = ToneEngine(batch=2)
    session = engine.open_session()
    seconds = np.arange(3 * 24_000, dtype=np.float32) / 24_000
    pitches = (300, 500)
    slots = [
        session.join(
            utterance(
                "x" * 60,
                engine=engine,
                reference=Reference(f"{pitch:064x}", np.sin(2 * np.pi * pitch * seconds), 24_000),
            )
        )
        for pitch in pitches
    ]
    for chunks, pitch in zip(chunks_of(session, slots).values(), pitches, strict=True):
        samples = np.concatenate([chunk.samples for chunk in chunks])
        assert np.count_nonzero(np.diff(np.signbit(samples))) == pytest.approx(2 * pitch * 4, abs=2)


def test_the_cpu_engine_stops_amid_a_sentence(cpu: CpuEngine) -> None:
    session = cpu.open_session()
    text = "The quick brown fox jumps over the lazy dog while others watch and wonder what it means " * 3
    slot = session.join(utterance(text, engine=cpu, speed=0.5))
    interruption = threading.Timer(0.01, session.interrupt, (slot,))
    started_at = time.perf_counter()
    interruption.start()
    outcomes = session.step()
    interrupted_after = time.perf_counter() - started_at
    interruption.join()
    session.leave(slot)
    other = session.join(utterance(text, engine=cpu, speed=0.5))
    session.interrupt(slot)
    started_at = time.perf_counter()
    assert len(chunks_of(session, [other])[other]) == 1
    assert outcomes == [(slot, Done())]
    assert interrupted_after < time.perf_counter() - started_at


def test_seeds_differ_by_piece_and_attempt_and_never_by_chance() -> None:
    seeds = [derived_seed(7, piece, attempt) for piece in range(50) for attempt in range(2)]
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed(7, 3, 1) == derived_seed(7, 3, 1) != derived_seed(8, 3, 1)
