"""Long texts cut into parts: whole sentences, nothing lost, and never more than a request may hold."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.errors import CannotSpeak, InvalidRequest
from apps.tts.jobs.splitting import PART_CHARACTERS, Span, refuse_unspeakable, spans_of
from gpu_worker.text import expected_seconds, prepare
from tests.tts.jobs.texts import prose


def assert_whole(spans: list[Span], text: str, longest: int = PART_CHARACTERS) -> None:
    assert spans[0].start == 0
    assert spans[-1].stop == len(text)
    assert all(before.stop == after.start for before, after in pairwise(spans))
    assert all(0 < span.stop - span.start <= longest for span in spans)


def said(text: str) -> str:
    return " ".join(piece.text for piece in prepare(text))


def test_parts_follow_each_other_and_hold_whole_sentences() -> None:
    text = prose(60_000)
    spans = spans_of(text)
    assert_whole(spans, text)
    assert 30 <= len(spans) <= 45
    for span in spans[:-1]:
        assert re.search(r"[.?!:;”]\s+$|Chapter \d+\s+$", text[: span.stop]), text[span.stop - 40 : span.stop]
    assert {span.ending for span in spans} <= {"paragraph", "sentence"}
    # Paragraphs of this text are short, so that each part could end with one.
    assert all(span.ending == "paragraph" for span in spans)


def test_parts_are_said_as_the_whole_text_is() -> None:
    text = prose(12_000)
    parts = " ".join(said(text[span.start : span.stop]) for span in spans_of(text))
    assert parts == said(text)


def test_a_short_text_is_one_part() -> None:
    assert spans_of("Hello there. All of it in one.") == [Span(0, 30, "paragraph")]


def test_a_silence_that_was_asked_for_takes_the_place_of_a_pause() -> None:
    text = "One sentence of this text. [pause:9s] " * 20
    spans = spans_of(text)
    assert_whole(spans, text)
    assert len(spans) > 2
    assert {span.ending for span in spans[:-1]} == {None}
    for span in spans:
        asked = 9 * text[span.start : span.stop].count("[pause:9s]")
        assert asked <= 60


def test_speech_in_one_part_stays_within_what_a_worker_makes() -> None:
    text = "9999999999, " * 3_000
    for speed in (0.5, 1.0, 2.0):
        spans = spans_of(text, speed=speed)
        assert_whole(spans, text)
        for span in spans:
            seconds = sum(expected_seconds(p.text) for p in prepare(text[span.start : span.stop])) / speed
            assert seconds < 3_000


@pytest.mark.parametrize(
    "text",
    [
        "x" + " " * 30_000 + "y",
        "a" * 30_000,
        "1" * 30_000,
        "word " * 6_000,
        "a," * 15_000,
        "a\n" * 15_000,
        "你好，世界。" * 5_000,
        "👋 hello " * 3_000,
        "[laugh] [sigh] ha " * 1_500,
        "\n\n" * 5_000 + "End.",
    ],
    ids=["spaces", "letters", "digits", "words", "commas", "lines", "chinese", "emoji", "tags", "breaks"],
)
@pytest.mark.parametrize("longest", [40, PART_CHARACTERS])
def test_texts_that_are_no_prose_are_cut_all_the_same(text: str, longest: int) -> None:
    assert_whole(spans_of(text, longest=longest), text, longest)


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet="ab .,!?\n\t\u2029“”1$[]:s你。👋\u0301", min_size=1, max_size=400),
    st.integers(min_value=1, max_value=60),
)
def test_any_text_is_cut_without_a_gap(text: str, longest: int) -> None:
    try:
        spans = spans_of(text, longest=longest)
    except CannotSpeak:
        assert not prepare(text)
        return
    assert_whole(spans, text, longest)


def test_other_languages_are_left_as_they_are_written() -> None:
    text = "Es kostet 5 €. Das ist viel. " * 200
    assert_whole(spans_of(text, language="de", normalize="auto"), text)


def test_what_cannot_be_spoken_is_refused_before_any_work() -> None:
    for text in ("…", "👋👋", " \n", "[laugh]"):
        with pytest.raises(CannotSpeak):
            spans_of(text)
    with pytest.raises(CannotSpeak):
        refuse_unspeakable("… 👋 !", unknown_tags="speak")
    with pytest.raises(InvalidRequest) as caught:
        refuse_unspeakable("Hello [dance] there.", unknown_tags="error")
    assert caught.value.param == "text"
    assert "[dance]" in caught.value.message
    refuse_unspeakable("Hello [dance] there.", unknown_tags="drop")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", [prose(500_000), "1" * 500_000, "a\n" * 250_000], ids=["prose", "1", "lines"]
)
def test_the_longest_text_takes_seconds(text: str) -> None:
    began = time.perf_counter()
    spans = spans_of(text)
    assert time.perf_counter() - began < 20
    assert_whole(spans, text)
    assert 250 <= len(spans) <= 500


@pytest.mark.slow
def test_a_look_at_the_longest_text_is_short() -> None:
    text = prose(500_000)
    began = time.perf_counter()
    refuse_unspeakable(text, unknown_tags="error")
    assert time.perf_counter() - began < 0.5
