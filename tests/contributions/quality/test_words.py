"""What counts as the same words."""

from __future__ import annotations

import pytest

from apps.contributions.quality.words import spoken_words, word_error_rate


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("Mr. Dashwood paid $5 for 3 apples.", "mister Dashwood paid five dollars for three apples"),
        ("A well-known, cold-hearted man", "a well known cold hearted man"),
        ("It's 7:30 p.m.", "it's 7:30 pm"),
        ("I’m sure they don't.", "I am sure they do not"),
        ("Log in, then press 1.", "login then press one"),
        ("The coast guard saw a motorboat", "the coastguard saw a motor boat"),
        ("Café, naïve", "cafe naive"),
        ("We, uh, agree.", "We agree"),
    ],
)
def test_the_same_said_otherwise_is_no_error(written: str, heard: str) -> None:
    assert word_error_rate(spoken_words(written), spoken_words(heard)) == 0


@pytest.mark.parametrize(
    ("wanted", "heard", "rate"),
    [
        ("one two three four", "one two three four", 0.0),
        ("one two three four", "one too three four", 0.25),
        ("one two three four", "one two four", 0.25),
        ("one two three four", "one two three four five", 0.25),
        ("one two", "", 1.0),
        ("", "one", 1.0),
        ("", "", 0.0),
    ],
)
def test_error_rates(wanted: str, heard: str, rate: float) -> None:
    assert word_error_rate(wanted.split(), heard.split()) == rate


def test_a_long_text_is_compared_in_bounded_time() -> None:
    assert len(spoken_words("word " * 100_000)) == 400
