"""The same recording again, and others."""

from __future__ import annotations

import numpy as np
import pytest

from apps.contributions.quality import fingerprint, sound
from apps.contributions.quality.decoding import decode
from tests.contributions.quality.clips import Spoken


def _print(data: bytes) -> fingerprint.Fingerprint:
    return fingerprint.fingerprint(sound.resampled(decode(data), fingerprint.RATE))


@pytest.fixture(scope="module")
def original(spoken: Spoken) -> fingerprint.Fingerprint:
    return _print(spoken.file("webm opus"))


@pytest.mark.parametrize("name", ["mp3", "m4a aac", "wav"])
def test_a_copy_in_another_format_is_the_same(
    name: str, original: fingerprint.Fingerprint, spoken: Spoken
) -> None:
    again = _print(spoken.file(name, samples=spoken.samples * 0.6))
    assert fingerprint.bit_error_rate(original, again) < 0.2
    assert (
        len(set(fingerprint.index_keys(original)) & set(fingerprint.index_keys(again)))
        >= fingerprint.MIN_SHARED_KEYS
    )


def test_a_part_of_it_is_found_where_it_lies(original: fingerprint.Fingerprint, spoken: Spoken) -> None:
    part = spoken.samples[int(0.2 * len(spoken.samples)) :]
    assert fingerprint.bit_error_rate(original, _print(spoken.file("wav", samples=part))) < 0.25


def test_another_sentence_of_the_same_voice_differs(original: fingerprint.Fingerprint, other: Spoken) -> None:
    theirs = _print(other.file("webm opus"))
    assert fingerprint.bit_error_rate(original, theirs) > 0.4
    assert fingerprint.bit_error_rate(theirs, original) > 0.4


def test_it_survives_being_stored(original: fingerprint.Fingerprint) -> None:
    data = fingerprint.serialise(original)
    assert np.array_equal(fingerprint.deserialise(data), original)
    assert len(data) == 1 + 4 * len(original)
    assert all(-(2**31) <= key < 2**31 for key in fingerprint.index_keys(original))
    for wrong in (b"", b"\x02" + data[1:], data[:-1]):
        with pytest.raises(ValueError, match="no fingerprint"):
            fingerprint.deserialise(wrong)


def test_too_little_has_none(original: fingerprint.Fingerprint) -> None:
    empty = fingerprint.fingerprint(np.zeros(1_000, np.float32))
    assert len(empty) == 0
    assert fingerprint.bit_error_rate(empty, original) == 1.0


def test_it_is_found_by_the_slow_way_too(original: fingerprint.Fingerprint) -> None:
    """By spectra as by counting bits at each lag."""
    chance = np.random.default_rng(5)
    one = chance.integers(2**32, size=60, dtype=np.uint32)
    other = np.concatenate([chance.integers(2**32, size=10, dtype=np.uint32), one[:50] ^ np.uint32(0b101)])
    assert fingerprint.bit_error_rate(one, other) == pytest.approx(2 / 32, abs=1e-6)
