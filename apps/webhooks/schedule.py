"""When a delivery that failed is attempted again (Standard Webhooks' schedule)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# From one attempt to the next; the first is made at once.
DELAYS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
ATTEMPTS: Final = len(DELAYS) + 1
JITTER: Final = 0.2


def retry_in(tries: int, *, retry_after: timedelta | None = None) -> timedelta | None:
    """How long to wait after so many attempts, give or take a fifth; None where they were all.

    What the receiver asked for counts between that delay and twice it.
    """
    if tries > len(DELAYS):
        return None
    delay = DELAYS[tries - 1]
    if retry_after is not None and retry_after > delay:
        return min(retry_after, 2 * delay)
    return delay * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, keeps no secret


def retry_after_of(value: str | None, now: datetime) -> timedelta | None:
    """Of a `Retry-After` header: seconds, or a date; None where it says nothing that can be read."""
    if not value:
        return None
    written = value.strip()
    if written.isascii() and written.isdecimal():
        # Python reads no number of thousands of digits.
        return timedelta(seconds=min(int(written.lstrip("0")[:8] or 0), 10**6))
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
