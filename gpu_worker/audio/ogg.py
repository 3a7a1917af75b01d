"""Opus in Ogg pages (RFC 3533, RFC 7845)."""

from __future__ import annotations

import struct
import zlib
from typing import Final

_CONTINUED, _FIRST, _LAST = 1, 2, 4
_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_CRC_OFFSET: Final = 22


def _crc(page: bytes) -> int:
    """Ogg's CRC-32: that of zlib with the bits of each byte, and of the sum, the other way round."""
    # zlib inverts its register at start and end; Ogg does neither.
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRRORED), "big")


class OggPages:
    """The pages of one logical stream."""

    def __init__(self, serial: int) -> None:
        self._serial = serial
        self._number = 0

    def page(self, packets: list[bytes], granule: int, *, last: bool = False) -> bytes:
        """One page of whole packets, together at most 255 segments; `granule` is where the last one ends."""
        lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
        if len(lacing) > 255:
            raise ValueError("too much for one Ogg page")
        flags = (_FIRST if self._number == 0 else 0) | (_LAST if last else 0)
        head = struct.pack(
            "<4sBBqIIIB", b"OggS", 0, flags, granule, self._serial, self._number, 0, len(lacing)
        )
        self._number += 1
        page = head + lacing + b"".join(packets)
        return page[:_CRC_OFFSET] + struct.pack("<I", _crc(page)) + page[_CRC_OFFSET + 4 :]


class OpusFile:
    """Opus packets of 20 ms become an Ogg stream that is flushed at least five times a second."""

    PACKET_GRANULES: Final = 960
    _PACKETS_A_PAGE: Final = 10
    # The first page goes out early, for a listener waits for it.
    _PACKETS_IN_FIRST_PAGE: Final = 2

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._pages: OggPages | None = None
        self._held: list[bytes] = []
        self._granule = 0
        self._limit = self._PACKETS_IN_FIRST_PAGE

    @property
    def pre_skip(self) -> int:
        """Granules at the start that players drop."""
        return int.from_bytes(self._head[10:12], "little")

    def feed(self, packets: list[bytes]) -> bytes:
        """The pages that are full now; one packet stays behind for the last page."""
        out: list[bytes] = []
        for packet in packets:
            if len(self._held) == self._limit:
                out.append(self._flush())
                self._limit = self._PACKETS_A_PAGE
            self._held.append(packet)
        return b"".join(out)

    def finish(self, packets: list[bytes], samples: int) -> bytes:
        """The rest, cut to `samples` at 48 kHz in all."""
        out = self.feed(packets)
        if not self._held:
            return out
        return out + self._flush(end=self.pre_skip + samples)

    def _flush(self, *, end: int | None = None) -> bytes:
        opening, pages = (b"", self._pages) if self._pages else self._open()
        self._granule += self.PACKET_GRANULES * len(self._held)
        granule = self._granule if end is None else min(end, self._granule)
        packets, self._held = self._held, []
        return opening + pages.page(packets, granule, last=end is not None)

    def _open(self) -> tuple[bytes, OggPages]:
        # By its first packets, so that equal audio gives equal bytes and files can be chained.
        pages = self._pages = OggPages(zlib.crc32(b"".join(self._held)))
        tags = struct.pack("<8sI9sI", b"OpusTags", 9, b"VoiceFlow", 0)
        return pages.page([self._head], 0) + pages.page([tags], 0), pages
