"""The times of characters between marks, by numbers."""

from __future__ import annotations

import pytest

from apps.tts.elevenlabs.alignment import Aligner, Alignment
from apps.tts.elevenlabs.pacing import pacing_of

TEXT = "It cost $5 then. [pause:1s] Dr. Smith [wow] paid, at 9:05 pm.\n\nThat is all."


def aligner_of(text: str, *, word_times: bool = False, speed: float = 1.0) -> Aligner:
    pacing = pacing_of(text, normalize="auto", language="en", performs_tags=False)
    return Aligner(text, pacing, speed=speed, word_times=word_times)


def assert_in_order(alignment: Alignment, *, until: float) -> None:
    moments = [moment for pair in zip(alignment.starts, alignment.ends, strict=True) for moment in pair]
    assert moments == sorted(moments)
    assert moments[0] >= 0
    assert moments[-1] <= until


def span(alignment: Alignment, words: str) -> tuple[float, float]:
    at = "".join(alignment.characters).index(words)
    return alignment.starts[at], alignment.ends[at + len(words) - 1]


@pytest.mark.parametrize(
    "text", [TEXT, "Hi.", " . ", "\n\n", "字字字。字字", "café 👋🏽 ok", "[x] [y]", "1", "a" * 400]
)
@pytest.mark.parametrize("marks", [[], [(1, 300)], [(0, 50), (3, 50), (3, 400), (2, 900), (99_999, 800)]])
def test_every_character_has_its_place(text: str, marks: list[tuple[int, int]]) -> None:
    aligner = aligner_of(text)
    for source_to, audio_ms in marks:
        aligner.mark(source_to=source_to, audio_ms=audio_ms)
    aligner.finish(1234)
    assert aligner.written.characters == list(text)
    assert_in_order(aligner.written, until=1.234)
    assert aligner.written.ends[-1] == 1.234
    said = pacing_of(text, normalize="auto", language="en", performs_tags=False).spoken.text
    assert aligner.said.characters == list(said)
    if said:
        assert_in_order(aligner.said, until=1.234)


def test_marks_are_where_they_were_told() -> None:
    aligner = aligner_of("One two three.", word_times=True)
    aligner.mark(source_to=3, audio_ms=400)
    aligner.mark(source_to=7, audio_ms=900)
    aligner.mark(source_to=14, audio_ms=1500)
    aligner.finish(1600)
    assert span(aligner.written, "One") == (0, 0.4)
    assert span(aligner.written, " two") == (0.4, 0.9)
    assert span(aligner.written, " three.") == (0.9, 1.6)


def test_what_is_written_out_takes_its_time() -> None:
    aligner = aligner_of("It cost $5,000 then.")
    aligner.finish(4000)
    start, end = span(aligner.written, "$5,000")
    letter = span(aligner.written, "cost")[1] - span(aligner.written, "cost")[0]
    assert end - start > 2.5 * letter
    assert span(aligner.said, "five thousand dollars") == (start, end)
    assert span(aligner.said, "then") == span(aligner.written, "then")


def test_what_is_left_out_takes_none() -> None:
    aligner = aligner_of("So [wow] it goes.")
    aligner.finish(2000)
    start, end = span(aligner.written, "[wow]")
    assert start == end
    assert "".join(aligner.said.characters) == "So it goes."


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.5])
def test_a_silence_that_was_asked_for_lasts_as_long_at_any_speed(speed: float) -> None:
    aligner = aligner_of("One. [pause:1.5s] Two.", speed=speed)
    aligner.finish(4000)
    start, end = span(aligner.written, "[pause:1.5s]")
    assert end - start == pytest.approx(1.5, abs=0.15)


def test_a_silence_longer_than_the_audio_is_not_believed() -> None:
    aligner = aligner_of("One. [pause:9s] Two.")
    aligner.finish(1000)
    assert_in_order(aligner.written, until=1.0)
    assert span(aligner.written, "Two.")[0] < 1.0


@pytest.mark.parametrize(
    ("first", "pause"), [("One. ", 0.29), ("One, ", 0.12), ("One ", 0), ("One\n\n", 0.59), ("[pause:1s] ", 0)]
)
def test_a_piece_begins_after_the_pause_that_workers_leave(first: str, pause: float) -> None:
    for speed in (1.0, 2.0):
        aligner = aligner_of(f"{first}Two.", speed=speed)
        aligner.mark(source_to=len(first), audio_ms=2000)
        aligner.finish(6000)
        assert span(aligner.written, "Two")[0] == pytest.approx(2 + pause / speed)


def test_a_rewrite_that_a_mark_cuts_is_told_once_it_is_whole() -> None:
    aligner = aligner_of("At 10:35 pm it rained.")
    aligner.mark(source_to=5, audio_ms=700)
    assert "".join(aligner.said.characters) == "At "
    aligner.finish(2000)
    assert "".join(aligner.said.characters) == "At ten thirty-five p m it rained."
