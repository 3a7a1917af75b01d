"""Headers of MPEG audio: ADTS for AAC, the Info frame with LAME's delays for MP3."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from gpu_worker.formats import MPEG1_KBPS, MPEG2_KBPS

AAC_RATES: Final = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
)
_ADTS_HEADER_BYTES: Final = 7

# Rows of sampling-rate indices 0 to 2 by the header's version bits.
_MP3_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MPEG1: Final = 3
_MONO: Final = 3
# What every MP3 decoder adds of itself; players take it off beside the delay that the tag names.
MP3_DECODER_DELAY: Final = 529
_LAME_TAG_BYTES: Final = 36
_XING_BYTES: Final = 120
_HAS_ALL: Final = 0xF
_HAS_CONTENTS_AND_QUALITY: Final = 0xC
_QUALITY: Final = 50


def adts(packet: bytes, sample_rate: int) -> bytes:
    """An AAC-LC packet, mono, behind its ADTS header."""
    length = len(packet) + _ADTS_HEADER_BYTES
    rate = AAC_RATES.index(sample_rate)
    # Sync word, MPEG-4 without CRC, profile LC, rate, one channel, length, "fullness" of a variable rate.
    bits = 0xFFF << 44 | 0x1 << 40 | 1 << 38 | rate << 34 | 1 << 30 | length << 13 | 0x7FF << 2
    return bits.to_bytes(_ADTS_HEADER_BYTES, "big") + packet


@dataclass(frozen=True, slots=True)
class Mp3Length:
    """A whole MP3 without its Info frame; `padding` samples stand at its end that were not in the source."""

    frames: int
    audio_bytes: int
    padding: int


def mp3_info(sample_rate: int, *, bitrate: int, delay: int, length: Mp3Length | None) -> bytes:
    """The frame that opens an MP3 of constant bit rate and tells players what to drop.

    `delay` is the encoder's own, in samples; `length` is None for a stream whose length is not known yet.
    """
    version, index = _version_and_index(sample_rate)
    side_info = 17 if version == _MPEG1 else 9
    needed = 4 + side_info + _XING_BYTES + _LAME_TAG_BYTES
    rates = MPEG1_KBPS if version == _MPEG1 else MPEG2_KBPS
    slots = 144 if version == _MPEG1 else 72
    row = next(row for row, kbps in enumerate(rates, 1) if slots * kbps * 1000 // sample_rate >= needed)
    size = slots * rates[row - 1] * 1000 // sample_rate
    header = 0xFFE00000 | version << 19 | 1 << 17 | 1 << 16 | row << 12 | index << 10 | _MONO << 6
    # Even points: the bit rate is constant.
    contents = bytes(256 * percent // 100 for percent in range(100))
    if length is None:
        flags, counts, total_bytes = _HAS_CONTENTS_AND_QUALITY, b"", 0
    else:
        total_bytes = length.audio_bytes + size
        flags, counts = _HAS_ALL, struct.pack(">II", length.frames, total_bytes)
    xing = struct.pack(">4sI", b"Info", flags) + counts + contents + struct.pack(">I", _QUALITY)
    body = struct.pack(">I", header) + bytes(side_info) + xing
    body += _lame_tag(bitrate, delay, length.padding if length else 0, total_bytes, body)
    return body.ljust(size, b"\0")


def _version_and_index(sample_rate: int) -> tuple[int, int]:
    for version, rates in _MP3_RATES.items():
        if sample_rate in rates:
            return version, rates.index(sample_rate)
    raise ValueError(f"MP3 has no rate of {sample_rate} Hz")


def _lame_tag(bitrate: int, delay: int, padding: int, total_bytes: int, before: bytes) -> bytes:
    tag = struct.pack(
        ">9sBBIHHBB3sBBHIH",
        b"Lavc VF  ",
        1,  # constant bit rate
        0,  # low pass not told
        0,
        0,
        0,
        0,
        min(255, bitrate // 1000),
        (delay << 12 | padding).to_bytes(3, "big"),
        0,
        0,
        0,
        total_bytes,
        0,
    )
    return tag + struct.pack(">H", _crc16(before + tag))


def _crc16(data: bytes) -> int:
    """CRC-16/ARC."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
