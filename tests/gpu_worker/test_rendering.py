"""A job's events become samples and marks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Word
from gpu_worker.jobs import Audio, Event, PieceSpoken, Spoken
from gpu_worker.protocol import Mark
from gpu_worker.rendering import Renderer
from gpu_worker.text import Piece, prepare, speakable
from gpu_worker.word_spans import WordStops, word_stops

RATE = 24_000


def tone(seconds: float) -> Samples:
    """Sound without a silent moment."""
    phase = np.arange(round(seconds * RATE)) * (2 * np.pi * 220 / RATE)
    return (0.3 * np.sin(phase)).astype(np.float32)


def rendered(renderer: Renderer, events: list[Event]) -> tuple[int, list[Mark]]:
    """Samples in all, and the marks; each mark tells of no more than came before it."""
    count, marks = 0, []
    for event in events:
        part = renderer.render([event])
        count += sum(len(samples) for samples in part.samples)
        assert all(mark.audio_ms <= count * 1000 // RATE for mark in part.marks)
        marks += part.marks
    return count, marks


def test_pieces_are_marked_with_their_silences() -> None:
    first = Piece("One.", 0, 5, silence_before_ms=100, silence_after_ms=200)
    second = Piece("Two.", 5, 9)
    events: list[Event] = []
    for piece in (first, second):
        events += [Audio(piece, tone(0.5), ()), Audio(piece, tone(0.5), ()), PieceSpoken(piece)]
    renderer = Renderer(RATE, speed=1, engine_speed=1)
    count, marks = rendered(renderer, [*events, Spoken()])
    assert marks == [Mark(1300, 0, 5), Mark(2300, 5, 9)]
    assert count == 55_200
    assert renderer.audio_ms == 2300


@pytest.mark.parametrize(("speed", "engine_speed"), [(0.25, 0.5), (4.0, 2.0), (3.0, 2.0)])
def test_what_the_engine_lacks_of_a_speed_is_stretched(speed: float, engine_speed: float) -> None:
    piece = Piece("Some words.", 0, 11)
    words = (Word(0, 4, 0, RATE), Word(5, 11, RATE, 2 * RATE))
    renderer = Renderer(RATE, speed=speed, engine_speed=engine_speed, word_stops=[{4: 4, 11: 11}])
    count, marks = rendered(renderer, [Audio(piece, tone(2), words), PieceSpoken(piece), Spoken()])
    expected_ms = 2000 * engine_speed / speed
    assert count * 1000 / RATE == pytest.approx(expected_ms, abs=30)
    assert [mark.source_to for mark in marks] == [4, 11, 11]
    assert marks[0].audio_ms == pytest.approx(expected_ms / 2, abs=30)


def test_words_without_sound_of_their_own_are_part_of_the_next() -> None:
    piece = Piece("twelve dollars here", 0, 8)
    words = (Word(0, 6, 0, 4800), Word(7, 14, 4800, 9600), Word(15, 19, 9600, 14_400))
    renderer = Renderer(RATE, speed=1, engine_speed=1, word_stops=[{14: 3, 19: 8}])
    _, marks = rendered(renderer, [Audio(piece, tone(0.6), words), PieceSpoken(piece), Spoken()])
    assert marks == [Mark(400, 0, 3), Mark(600, 3, 8), Mark(600, 8, 8)]


def test_without_any_sound_there_is_no_speech() -> None:
    piece = Piece("Hm.", 0, 3, silence_after_ms=500)
    renderer = Renderer(RATE, speed=1, engine_speed=1)
    rendered(renderer, [PieceSpoken(piece), Spoken()])
    assert not renderer.has_speech


def stops_of(text: str) -> list[WordStops]:
    """Where the words of a text were written."""
    return word_stops(prepare(text), speakable(text))


def test_words_are_found_in_the_callers_text() -> None:
    text = "It cost $12.50 on Monday.  Dr. Smith [laugh] paid."
    written = [text[:stop] for stops in stops_of(text) for stop in stops.values()]
    ends = ["It", " cost", " $12.50", " on", " Monday.", "  Dr.", " Smith", " [laugh] paid."]
    assert written == ["".join(ends[: number + 1]) for number in range(len(ends))]


@given(st.text(max_size=80) | st.text("a1 .!?$[]%:-\n", max_size=200))
def test_word_ends_rise_within_their_piece(text: str) -> None:
    pieces = prepare(text)
    last = 0
    for piece, stops in zip(pieces, stops_of(text), strict=True):
        for word_stop, source_stop in stops.items():
            assert 0 < word_stop <= len(piece.text)
            assert max(last, piece.start) <= source_stop <= piece.stop
            last = source_stop
