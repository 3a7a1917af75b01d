"""Identifiers: UUIDv7 (RFC 9562) for rows, prefixed hex for requests."""

from __future__ import annotations

import os
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_last_ms = 0
_sequence = 0


def uuid7() -> uuid.UUID:
    """A UUIDv7 that sorts after every earlier one of this process.

    12 bits after the milliseconds count within one millisecond (RFC 9562, method 1); 62 bits are random.
    """
    global _last_ms, _sequence
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _sequence = now_ms, int.from_bytes(os.urandom(1)) >> 1
        else:
            _sequence += 1
            if _sequence > 0xFFF:
                _last_ms, _sequence = _last_ms + 1, 0
        stamp, sequence = _last_ms, _sequence
    return _compose(stamp, sequence, int.from_bytes(os.urandom(8)) >> 2)


def uuid_or_none(value: object) -> uuid.UUID | None:
    """What somebody typed or a file is named, where that is an id."""
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None


def uuid7_floor(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of that moment: a bound for ranges and partitions."""
    return _compose((moment - _EPOCH) // timedelta(milliseconds=1), 0, 0)


def uuid7_time(value: uuid.UUID) -> datetime:
    """When a UUIDv7 was made, in UTC, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=value.int >> 80)


def _compose(milliseconds: int, sequence: int, random: int) -> uuid.UUID:
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | sequence << 64 | 0b10 << 62 | random)


def new_request_id() -> str:
    return f"req_{uuid7().hex}"
