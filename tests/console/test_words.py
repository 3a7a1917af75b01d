"""Figures and times as the console writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.console.templatetags import console
from apps.usage.reports import Sums


@pytest.mark.parametrize(
    ("value", "said"), [(None, "–"), (0, "0"), (999, "999"), (1234567, "1\u202f234\u202f567"), (49.6, "50")]
)
def test_number(value: float | None, said: str) -> None:
    assert console.number(value) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (None, "–"),
        (0, "0.0\u202fs"),
        (84, "84\u202fms"),
        (3240, "3.2\u202fs"),
        (252_000, "4\u202fmin 12\u202fs"),
        (3_600_000, "1\u202fh 0\u202fmin"),
        (4_500_540_000, "1\u202f250\u202fh 9\u202fmin"),
    ],
)
def test_seconds(milliseconds: float | None, said: str) -> None:
    assert console.seconds(milliseconds) == said


@pytest.mark.parametrize(("share", "said"), [(0, "0\u202f%"), (0.004, "0.4\u202f%"), (0.25, "25\u202f%")])
def test_percent(share: float, said: str) -> None:
    assert console.percent(share) == said


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        (timedelta(seconds=3), "now"),
        (timedelta(seconds=50), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=-1, minutes=3), "in 24 hours"),
        (timedelta(days=2), "8 Mar 2026"),
        (timedelta(days=-40), "19 Apr 2026"),
    ],
)
@time_machine.travel("2026-03-10 12:00:00+00:00", tick=False)
def test_when(distance: timedelta, said: str) -> None:
    shown = console.when(timezone.now() - distance)
    assert f">{said}</time>" in shown
    assert 'title="2026-' in shown


def test_when_never() -> None:
    assert "Never" in console.when(None)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Acme", "A"), ("Northwind Audio Ltd", "NA"), ("alice@acme.example", "AA"), ("– –", "")],
)
def test_initials(name: str, letters: str) -> None:
    assert console.initials(name) == letters


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ((900, 900, 0), "all charged"),
        ((1000, 900, 0), "900 charged"),
        ((2000, 1500, 400), "1\u202f500 charged, 400 credited"),
    ],
)
def test_charged(figures: tuple[int, int, int], said: str) -> None:
    characters, charged, credited = figures
    used = Sums(
        requests=1,
        ok=1,
        characters=characters,
        characters_charged=charged,
        characters_credited=credited,
        audio_ms=0,
    )
    assert console.charged(used) == said


@pytest.mark.parametrize(
    ("share", "per_cent", "tone"),
    [(0, "0", ""), (0.4567, "45.7", ""), (0.8, "80", "amber"), (1, "100", "red"), (3.1, "100", "red")],
)
def test_bars_of_limits(share: float, per_cent: str, tone: str) -> None:
    assert (console.filled(share), console.used_tone(share)) == (per_cent, tone)
