"""Texts rewritten by rules, and the map back to what was written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.text.normalization import normalize
from gpu_worker.text.rewriting import Rewrite, Rule, Spoken, apply, assemble

_PARTS = (
    " ", "1", "23", "2025", "-", "–", ".", ",", "/", ":", "$", "€", "%", "kg", "May", "pm", "½", "²",
    "\u0663",
    "st", "'", '"', "(", ")", "#", "x", "+", "=", "Oct.", "at", "0", "007", "m", "A", "No.", "°C", "s", "\n",
)  # fmt: skip
_TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(_PARTS), max_size=25).map("".join))
_DIGITS = Rule(re.compile(r"[0-9]+"), lambda match: f"<{match[0]}>")


def test_a_rule_says_its_matches_and_leaves_the_rest() -> None:
    spoken = assemble("a 12 b", apply("a 12 b", [_DIGITS]))

    assert spoken.text == "a <12> b"
    assert spoken.source_span(spoken.text.index("<"), spoken.text.index(">") + 1) == (2, 4)
    assert spoken.source_span(0, 1) == (0, 1)
    assert spoken.source_span(len(spoken.text) - 1, len(spoken.text)) == (5, 6)


def test_the_first_rule_takes_and_later_ones_do_not_see_it() -> None:
    pair = Rule(re.compile(r"[0-9]-[0-9]"), lambda _: "pair")

    assert assemble("1-2 3", apply("1-2 3", [pair, _DIGITS])).text == "pair <3>"
    assert assemble("1-2 3", apply("1-2 3", [_DIGITS, pair])).text == "<1>-<2> <3>"


def test_a_rule_may_decline() -> None:
    small = Rule(re.compile(r"[0-9]+"), lambda match: "small" if len(match[0]) == 1 else None)

    assert assemble("1 22", apply("1 22", [small, _DIGITS])).text == "small <22>"


def test_what_stands_already_is_kept() -> None:
    assert assemble("1 2", apply("1 2", [_DIGITS], [Rewrite(0, 1, "")])).text == " <2>"


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("a1", "a one"),
        ("1a", "one a"),
        ("a1b2", "a one b two"),
        ("a 1 b", "a one b"),
        ("(1)", "(one)"),
        ("12", "one one"),
    ],
)
def test_what_is_said_never_runs_into_its_neighbours(written: str, spoken: str) -> None:
    one = Rule(re.compile("[0-9]"), lambda match: "two" if match[0] == "2" and written != "12" else "one")

    made = assemble(written, apply(written, [one]))

    assert made.text == spoken
    _check_map(written, made)


def test_spaces_that_rewrites_bring_do_not_double_those_of_the_text() -> None:
    padded = Rule(re.compile("[+]"), lambda _: " plus ")

    made = assemble("a + b+c", apply("a + b+c", [padded]))

    assert made.text == "a plus b plus c"
    _check_map("a + b+c", made)


@pytest.mark.parametrize("written", ["a\ue0001", "\ue000", "1\ue000\ue0002 kg", "\uf8ff3"])
def test_characters_of_private_use_are_not_spoken(written: str) -> None:
    made = normalize(written)

    assert not re.search("[\ue000-\uf8ff]", made.text)
    _check_map(written, made)


def test_a_rule_without_its_hint_is_not_tried() -> None:
    never = Rule(re.compile("a"), lambda _: "said", re.compile("b"))

    assert apply("aaa", [never]) == []
    assert len(apply("aab", [never])) == 2


def _check_map(written: str, spoken: Spoken) -> None:
    """Stretches cover what is spoken without gap, and follow the order of what was written."""
    spoken_at = source_at = 0
    for stretch in spoken.stretches:
        assert stretch.spoken_from == spoken_at < stretch.spoken_to
        assert source_at <= stretch.source_from <= stretch.source_to <= len(written)
        if stretch.verbatim:
            said = spoken.text[stretch.spoken_from : stretch.spoken_to]
            assert said == written[stretch.source_from : stretch.source_to]
        spoken_at, source_at = stretch.spoken_to, stretch.source_to
    assert spoken_at == len(spoken.text)


@given(written=_TEXTS)
def test_the_map_covers_all_that_is_spoken_in_the_order_of_the_text(written: str) -> None:
    _check_map(written, normalize(written))


@given(written=_TEXTS, data=st.data())
def test_spans_of_what_is_spoken_lie_in_the_text_and_do_not_turn_around(
    written: str, data: st.DataObject
) -> None:
    spoken = normalize(written)
    if not spoken.text:
        return
    start = data.draw(st.integers(0, len(spoken.text) - 1))
    stop = data.draw(st.integers(start + 1, len(spoken.text)))

    source_from, source_to = spoken.source_span(start, stop)

    assert 0 <= source_from < source_to <= len(written)
    assert spoken.source_span(0, len(spoken.text))[0] <= source_from


@given(written=_TEXTS)
def test_no_ascii_digit_is_left_to_be_guessed(written: str) -> None:
    assert not re.search("[0-9]", normalize(written).text)


@pytest.mark.parametrize(
    "unit", ["1", "1,", "1-", "1/", "1:", "1 ", "$", " ", "000 ", "1'", "½", "1 - ", "10:10-", "#1"]
)
def test_long_hostile_texts_are_said_and_mapped(unit: str) -> None:
    written = unit * 5_000

    _check_map(written, normalize(written))
