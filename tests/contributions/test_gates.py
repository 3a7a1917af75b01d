"""A campaign's own gates over the usual ones."""

from __future__ import annotations

from typing import Any

import pytest

from apps.contributions import gates
from apps.contributions.models import Campaign
from apps.contributions.quality import Verdict
from apps.core.errors import InvalidRequest


def test_the_usual_ones_hold_where_nothing_is_said() -> None:
    assert gates.gates_of(Campaign()) == gates.USUAL


def test_what_a_campaign_says_goes_over_them() -> None:
    held = gates.gates_of(Campaign(gates={"review_over_seconds": 12, "unchecked_transcript": "accept"}))
    assert held.review_over_seconds == 12.0
    assert held.unchecked_transcript is Verdict.ACCEPT
    assert held.reject_over_seconds == gates.USUAL.reject_over_seconds


@pytest.mark.parametrize(
    "given",
    [
        {"no_such_gate": 1},
        {"review_over_seconds": "12"},
        {"review_over_seconds": True},
        {"review_over_seconds": None},
        {"review_over_seconds": float("nan")},
        {"review_over_seconds": float("inf")},
        {"review_over_seconds": [1]},
        {"unchecked_transcript": "maybe"},
        {"unchecked_transcript": 1},
        {"__class__": 1},
    ],
)
def test_what_is_no_gate_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        gates.clean(given)
    assert refused.value.param == "gates"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, []),
        ({"review_over_seconds": 10, "reject_over_seconds": 20}, []),
        ({"review_over_seconds": 40}, ["review_over_seconds"]),
        ({"reject_over_seconds": 10}, ["reject_over_seconds"]),
        ({"review_under_lufs": -50}, ["review_under_lufs"]),
        ({"reject_under_background_mos": 3.5}, ["reject_under_background_mos"]),
        ({"reject_missing_seconds": 0.1}, ["reject_missing_seconds"]),
        ({"review_clipped_share": 0.5}, ["review_clipped_share"]),
        ({"review_over_word_error_rate": 0.5, "reject_over_word_error_rate": 0.5}, []),
    ],
)
def test_gates_that_reject_before_they_send_to_review_are_found(
    given: dict[str, Any], named: list[str]
) -> None:
    assert list(gates.contradictions(gates.clean(given))) == named
