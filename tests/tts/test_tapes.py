"""Answers collected while they pass: what is held, and what is said where there is no holding it."""

from __future__ import annotations

from apps.tts.tapes import Tapes


def test_what_passes_is_held_until_it_is_released() -> None:
    tapes = Tapes(most_bytes=10, held_bytes=100)
    tape = tapes.new()
    tape.add(b"one")
    tape.add(b"two")
    assert (tape.content(), tape.is_whole, tapes.held) == (b"onetwo", True, 6)
    for _ in range(2):
        tape.release()
        assert (tape.content(), tapes.held) == (b"", 0)


def test_one_that_grows_too_large_holds_nothing_and_says_so() -> None:
    tapes = Tapes(most_bytes=10, held_bytes=100)
    tape = tapes.new()
    for part in (b"six---", b"five-", b"x"):
        tape.add(part)
    assert (tape.is_too_large, tape.found_no_room, tape.is_whole) == (True, False, False)
    assert (tape.content(), tapes.held) == (b"", 0)


def test_one_without_room_beside_others_says_that() -> None:
    tapes = Tapes(most_bytes=10, held_bytes=12)
    first, second = tapes.new(), tapes.new()
    first.add(b"nine bytes"[:9])
    second.add(b"four")
    assert (second.is_too_large, second.found_no_room, second.is_whole) == (False, True, False)
    assert (first.is_whole, tapes.held) == (True, 9)
    first.release()
    second.release()
    second.add(b"four")
    assert (second.content(), second.is_whole) == (b"four", True)
