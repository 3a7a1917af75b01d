"""The `Prefer` header, as RFC 7240 lets it be written."""

from __future__ import annotations

import time

import pytest

from apps.tts.preferences import wait_seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("Wait = 10", 10),
        ('wait="10"', 10),
        ("respond-async, wait=10", 10),
        ("respond-async;wait=3, wait=10", 10),
        ("wait=10; foo=bar, wait=20", 10),
        ('a="x, y"; b, wait=0', 0),
        ("handling=lenient,wait=007", 7),
        ("", None),
        ("wait", None),
        ("wait=", None),
        ("wait=soon", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=99999999999999999999", None),
        ("wait=٣", None),
        ("await=10", None),
        ("wait-a-bit=10", None),
        ("wait=x, wait=10", None),
        (",,;;==", None),
    ],
)
def test_the_first_wait_counts(header: str, seconds: int | None) -> None:
    assert wait_seconds(header) == seconds


@pytest.mark.parametrize("nonsense", ["a " * 20_000, "a=" + "b" * 30_000 + '"', " " * 50_000])
def test_long_nonsense_is_read_in_no_time(nonsense: str) -> None:
    started = time.perf_counter()
    assert wait_seconds(nonsense + ", wait=10") is None
    assert time.perf_counter() - started < 0.1
