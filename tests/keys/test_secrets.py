"""The form of a key, its checksum, and what proves it."""

from __future__ import annotations

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.keys import secrets

PEPPERS = {2: b"n" * 32, 1: b"o" * 32}
POSITIONS = st.integers(min_value=8, max_value=43)
CHARACTERS = st.sampled_from(secrets.ALPHABET)


@pytest.mark.parametrize("mode", secrets.MODES)
def test_a_key_has_the_form_that_scanners_know(mode: str) -> None:
    key = secrets.generate(mode)
    assert re.fullmatch(rf"vf_{mode}_[0-9A-Za-z]{{36}}", key)
    parsed = secrets.parse(key)
    assert parsed == secrets.ParsedKey(secret=key, mode=mode, prefix=key[:16])


def test_keys_differ_and_use_the_whole_alphabet() -> None:
    keys = [secrets.generate("live") for _ in range(500)]
    assert len({key[:16] for key in keys}) == 500
    assert set("".join(key[8:38] for key in keys)) == set(secrets.ALPHABET)


def test_the_checksum_is_the_crc_in_base62() -> None:
    body = "vf_live_" + "a" * 30
    number = 0
    for digit in secrets.checksum(body):
        number = number * 62 + secrets.ALPHABET.index(digit)
    assert number == zlib.crc32(body.encode())
    assert len(secrets.checksum(body)) == 6


@given(POSITIONS, CHARACTERS)
def test_one_changed_character_is_refused(position: int, character: str) -> None:
    key = "vf_live_0123456789abcdefghijABCDEFGHIJ"
    key += secrets.checksum(key)
    changed = key[:position] + character + key[position + 1 :]
    assert (secrets.parse(changed) is None) == (changed != key)


@given(st.integers(min_value=8, max_value=42))
def test_two_swapped_neighbours_are_refused(position: int) -> None:
    key = "vf_test_" + secrets.ALPHABET[:30]
    key += secrets.checksum(key)
    swapped = key[:position] + key[position + 1] + key[position] + key[position + 2 :]
    assert (secrets.parse(swapped) is None) == (swapped != key)


@given(st.text(max_size=60))
def test_whatever_else_is_sent_is_no_key(raw: str) -> None:
    assert secrets.parse(raw) is None


def test_a_key_with_more_around_it_is_no_key() -> None:
    key = secrets.generate("live")
    for raw in (f" {key}", f"{key}\n", f"{key}0", key[:-1], key.upper(), f"Bearer {key}"):
        assert secrets.parse(raw) is None


def test_a_test_key_does_not_pass_as_live() -> None:
    assert secrets.parse(secrets.generate("test").replace("vf_test_", "vf_live_")) is None


def test_the_pepper_it_was_hashed_with_proves_a_key() -> None:
    key = secrets.generate("live")
    stored = secrets.digest(key, PEPPERS[1])
    assert len(stored) == 32
    assert secrets.proves(key, stored=stored, pepper_id=1, peppers=PEPPERS)
    assert not secrets.proves(key, stored=stored, pepper_id=2, peppers=PEPPERS)
    assert not secrets.proves(secrets.generate("live"), stored=stored, pepper_id=1, peppers=PEPPERS)


def test_a_pepper_that_was_taken_away_proves_nothing() -> None:
    key = secrets.generate("live")
    of_zeros = secrets.digest(key, b"\0" * 32)
    assert not secrets.proves(key, stored=of_zeros, pepper_id=9, peppers=PEPPERS)
