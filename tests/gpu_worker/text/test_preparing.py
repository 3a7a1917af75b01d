"""From the caller's text to the pieces that an engine speaks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.text import UnknownTagError, has_rules, prepare, speakable, spoken_map

WORDS = "This is a sentence that is long enough to stand alone."

ALPHABET = "aB1 .!?,;:\n\t[]()\"'“”。，好…-—\u2029\u0301\u200d😀$é/@#*_%"
TAGS = ("[laugh]", "[clear throat]", "[sneeze]", "[pause:0.5s]", "[pause:9s]", "[pause:99s]", "[1]", "[a](b)")
WRITTEN = ("$5.30", "Dr. ", "12 345", "3/4", "10:35 pm", "word ", "https://example.com", "\n\n", "\ud800")
parts = st.sampled_from([*ALPHABET, *TAGS, *WRITTEN])
hostile = st.text() | st.text(ALPHABET, max_size=400) | st.lists(parts, max_size=150).map("".join)
options = st.fixed_dictionaries(
    {
        "normalize": st.sampled_from(["auto", "on", "off"]),
        "language": st.sampled_from(["en", "en-GB", "de", "zh-Hans", "", "x" * 35]),
        "unknown_tags": st.sampled_from(["drop", "speak"]),
        "performs_tags": st.booleans(),
    }
)


def texts_of(text: str, **settings: Any) -> list[str]:
    return [piece.text for piece in prepare(text, **settings)]


@given(hostile, options)
def test_pieces_tile_the_callers_text_and_say_all_of_what_is_spoken(
    text: str, settings: dict[str, Any]
) -> None:
    pieces = prepare(text, **settings)
    spoken = speakable(text, **settings).text
    if pieces:
        assert [piece.start for piece in pieces] == [0, *(piece.stop for piece in pieces[:-1])]
        assert pieces[-1].stop == len(text)
        said = "".join(piece.text for piece in pieces)
        assert re.findall(r"[^\W_]", said) == re.findall(r"[^\W_]", spoken)
    else:
        assert not re.search(r"[^\W_]", re.sub(r"\[[a-z ]+\]", "", spoken))
    for piece in pieces:
        assert piece.start <= piece.stop
        assert 0 < len(piece.text) <= 280
        assert 0 <= piece.silence_after_ms <= 10_000
    assert all(piece.silence_before_ms == 0 for piece in pieces[1:])


@given(hostile, options)
def test_the_map_covers_every_spoken_character_in_order(text: str, settings: dict[str, Any]) -> None:
    spoken = speakable(text, **settings)
    spoken_at = source_at = 0
    for spoken_from, spoken_to, source_from, source_to in spoken_map(spoken):
        assert spoken_from == spoken_at < spoken_to
        assert source_at <= source_from < source_to <= len(text)
        spoken_at, source_at = spoken_to, source_to
    assert spoken_at == len(spoken.text)
    for stretch in spoken.stretches:
        if stretch.verbatim:
            assert (
                spoken.text[stretch.spoken_from : stretch.spoken_to]
                == text[stretch.source_from : stretch.source_to]
            )


@pytest.mark.parametrize("normalize", ["auto", "on", "off"])
def test_tags_work_whatever_normalize_is(normalize: Any) -> None:
    text = f"{WORDS} [laugh] {WORDS} [pause:2s] [sneeze] {WORDS}"
    silent = prepare(text, normalize=normalize, unknown_tags="drop")
    assert [piece.text for piece in silent] == [WORDS] * 3
    assert [piece.silence_after_ms for piece in silent] == [0, 2000, 0]
    performed = prepare(text, normalize=normalize, performs_tags=True)
    assert [piece.text for piece in performed] == [WORDS, f"[laugh] {WORDS}", f"sneeze {WORDS}"]


def test_tags_are_never_cut_nor_rewritten() -> None:
    for text in texts_of("[clear throat] and " * 100, performs_tags=True):
        assert text.count("[") == text.count("[clear throat]") == text.count("]")
    assert texts_of("[CLEAR THROAT] Yes.", performs_tags=True) == ["[clear throat] Yes."]


def test_silence_lies_where_it_was_asked_for() -> None:
    text = f"[pause:1s] {WORDS} [pause:300ms][pause:0.2s] Yes, [pause:1s] no. [pause:3s]"
    pieces = prepare(text)
    assert [piece.text for piece in pieces] == [WORDS, "Yes,", "no."]
    assert [piece.silence_before_ms for piece in pieces] == [1000, 0, 0]
    assert [piece.silence_after_ms for piece in pieces] == [500, 1000, 3000]
    assert [piece.ending for piece in pieces] == ["sentence", "clause", "paragraph"]
    assert [text[piece.start : piece.stop].strip() for piece in pieces] == [
        f"[pause:1s] {WORDS} [pause:300ms][pause:0.2s]",
        "Yes, [pause:1s]",
        "no. [pause:3s]",
    ]


def test_one_silence_is_ten_seconds_at_most() -> None:
    (piece,) = prepare("[pause:9s] [pause:9s] Hello. " + "[pause:10s]" * 50)
    assert (piece.silence_before_ms, piece.silence_after_ms) == (10_000, 10_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n",
        "...",
        "😀",
        "[laugh]",
        "[sigh] [laugh]!",
        "[pause:1s]",
        "[pause:1s] ... [pause:1s]",
        "\u200b",
    ],
)
@pytest.mark.parametrize("performs_tags", [True, False])
def test_nothing_is_made_of_nothing(text: str, performs_tags: bool) -> None:
    assert prepare(text, normalize="off", performs_tags=performs_tags) == []


def test_unknown_tags_are_refused_where_that_is_asked_for() -> None:
    for do in (prepare, speakable):
        with pytest.raises(UnknownTagError, match=r"\[sneeze\]"):
            do("A [sneeze] b.", unknown_tags="error")  # type: ignore[operator]
    assert texts_of("See [1] and [a](b).", unknown_tags="error", normalize="off") == ["See [1] and [a](b)."]


@pytest.mark.parametrize(
    ("language", "is_english"),
    [
        ("en", True),
        ("en-US", True),
        ("EN_gb", True),
        ("de", False),
        ("fr-CA", False),
        ("zh", False),
        ("english", False),
        ("", False),
    ],
)
def test_only_english_is_rewritten(language: str, is_english: bool) -> None:
    text = "3 $5.30 & 10:35"
    assert has_rules(language) is is_english
    assert (speakable(text, language=language).text == text) is not is_english
    assert speakable(text, language=language, normalize="off").text == text
    assert speakable(text, language=language, normalize="on").text != text


def test_pieces_of_rewritten_text_point_to_what_was_written() -> None:
    text = (
        f"It costs $5.30 in all, as far as anybody can tell. {WORDS} He has $21 left of it, or so he told us."
    )
    pieces = prepare(text)
    assert [text[piece.start : piece.stop] for piece in pieces] == [
        "It costs $5.30 in all, as far as anybody can tell. ",
        f"{WORDS} ",
        "He has $21 left of it, or so he told us.",
    ]
    assert not re.search(r"\d", "".join(piece.text for piece in pieces))


HOSTILE_CHARACTERS = ".\n [x。“1好\u0301\u200d\ud800"
HOSTILE_WORDS = (
    '."',
    "[a",
    "[laugh]",
    "[pause:1s]",
    "a[pause:1s]",
    "A. ",
    ", ",
    "!?",
    "。」",
    "e.g. ",
    "(a. ",
)
HOSTILE_LINES = ("a\n", "a\n\n", "1. ", "1/", "$1 ", "-1", "a@")


@pytest.mark.parametrize("unit", [*HOSTILE_CHARACTERS, *HOSTILE_WORDS, *HOSTILE_LINES])
def test_a_hundred_thousand_hostile_characters_pass(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    pieces = prepare(text, normalize="on", performs_tags=True)
    assert not pieces or pieces[-1].stop == len(text)
