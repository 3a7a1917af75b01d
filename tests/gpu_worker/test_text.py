"""Tags and splitting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.text import KNOWN_TAGS, UnknownTagError, split, without_tags

hostile = st.text() | st.text("aB1 .!?,;:\n\t[]\"'“”。…-", max_size=400)


@given(hostile, st.integers(20, 60))
def test_pieces_cover_the_text_in_order(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert bool(pieces) == bool(text.strip())
    if pieces:
        assert [piece.start for piece in pieces] == [0, *(piece.stop for piece in pieces[:-1])]
        assert pieces[-1].stop == len(text)
    for piece in pieces:
        assert 0 < len(piece.text) <= limit
        assert piece.text == " ".join(text[piece.start : piece.stop].split())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith paid 3.5 dollars. He left.", ["Dr. Smith paid 3.5 dollars.", "He left."]),
        ("J. K. Rowling wrote it. I read it.", ["J. K. Rowling wrote it.", "I read it."]),
        ("It is I. You know.", ["It is I.", "You know."]),
        ("Use fruit, e.g. apples. Eat.", ["Use fruit, e.g. apples.", "Eat."]),
        (
            "See no. 5 of vol. 2. He said no. Then he left.",
            ["See no. 5 of vol. 2.", "He said no.", "Then he left."],
        ),
        (
            "Tea, milk, etc. were there. Cups etc. They broke.",
            ["Tea, milk, etc. were there.", "Cups etc.", "They broke."],
        ),
        ('He said "Go!" Then he went.', ['He said "Go!"', "Then he went."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("a line\nanother line", ["a line", "another line"]),
        ("version 2.0.1 is out", ["version 2.0.1 is out"]),
        ("  padded.  ", ["padded."]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [piece.text for piece in split(text)] == sentences


def test_a_long_sentence_is_cut_at_its_last_clause() -> None:
    text = "word " * 20 + "and then, " + "word " * 20
    first, second = (piece.text for piece in split(text, 140))
    assert first.endswith("and then,")
    assert second.startswith("word")


def test_a_sentence_without_clauses_is_cut_between_words() -> None:
    assert all(set(piece.text.split()) == {"word"} for piece in split("word " * 200))


def test_a_word_longer_than_a_piece_is_cut_anywhere() -> None:
    assert [len(piece.text) for piece in split("x" * 600)] == [280, 280, 40]


@given(hostile, st.sampled_from(["drop", "speak"]), st.booleans())
def test_taking_tags_out_keeps_offsets(text: str, unknown: str, keep_known: bool) -> None:
    spoken = without_tags(text, unknown=unknown, keep_known=keep_known)  # type: ignore[arg-type]
    assert len(spoken) == len(text)
    assert all(new in (old, " ") for old, new in zip(text, spoken, strict=True))


@pytest.mark.parametrize("tag", [*KNOWN_TAGS, "Laugh", "CLEAR THROAT"])
def test_known_tags_are_not_read(tag: str) -> None:
    assert without_tags(f"Ha [{tag}] ha.", unknown="error").split() == ["Ha", "ha."]
    assert without_tags(f"Ha [{tag}] ha.", unknown="error", keep_known=True) == f"Ha [{tag}] ha."


def test_unknown_tags_are_spoken_dropped_or_refused() -> None:
    assert without_tags("A [sneeze] b.").split() == ["A", "sneeze", "b."]
    assert without_tags("A [sneeze] b.", unknown="drop").split() == ["A", "b."]
    with pytest.raises(UnknownTagError, match=r"\[sneeze\] is not a tag; known are \[laugh\]"):
        without_tags("A [sneeze] b.", unknown="error")


@pytest.mark.parametrize(
    "text", ["as said [1]", "a [link](https://example.com)", "[2024-01-02]", "[]", "[ x ]"]
)
def test_numbers_links_and_footnotes_are_text(text: str) -> None:
    assert without_tags(text, unknown="error") == text


@pytest.mark.parametrize(
    "unit", [".", '."', "\n", " ", "[", "[a", "A. ", ", ", "x", "!?", "。", "[laugh]", "e.g. "]
)
def test_a_hundred_thousand_hostile_characters_pass(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    pieces = split(without_tags(text))
    assert not pieces or pieces[-1].stop == len(text)
