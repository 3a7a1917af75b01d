"""Answers collected while they pass, within bounds of each and of the process."""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = 20 * 1024 * 1024
# Of all that a process collects at once: a wave of long answers must not take its memory.
HELD_BYTES: Final = 192 * 1024 * 1024


class Tapes:
    """What one speech process collects; of one event loop."""

    def __init__(self, *, most_bytes: int = MAX_BYTES, held_bytes: int = HELD_BYTES) -> None:
        self.held = 0
        self.most_bytes = most_bytes
        self.held_bytes = held_bytes

    def new(self) -> Tape:
        return Tape(self)


class Tape:
    """The bytes of one answer; `release` it in the end.

    One that grew too large, or found no room beside others, holds nothing and says so.
    """

    def __init__(self, tapes: Tapes) -> None:
        self.is_too_large = False
        self.found_no_room = False
        self.size = 0
        self._tapes = tapes
        self._parts: list[bytes] = []

    @property
    def is_whole(self) -> bool:
        """Whether it holds all that was added."""
        return not (self.is_too_large or self.found_no_room)

    def add(self, data: bytes) -> None:
        """Keeps the very object, no copy of it."""
        if not self.is_whole:
            return
        size = len(data)
        too_large = self.size + size > self._tapes.most_bytes
        no_room = self._tapes.held + size > self._tapes.held_bytes
        if too_large or no_room:
            self.release()
            self.is_too_large, self.found_no_room = too_large, not too_large
            return
        self._parts.append(data)
        self.size += size
        self._tapes.held += size

    def release(self) -> None:
        """Forgets what it holds. Safe to repeat; also how it begins anew."""
        self._tapes.held -= self.size
        self.size = 0
        self._parts = []
        self.is_too_large = self.found_no_room = False

    def content(self) -> bytes:
        return b"".join(self._parts)
