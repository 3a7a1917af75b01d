"""Where a caller stands within its limits, for surfaces to tell in headers of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """Of the organization or of the key, whichever is nearer to its limit; this request is counted.

    `reset_seconds` is the time until all of `requests_limit` is there again. Characters are those of the UTC
    month, `None` where nothing limits them.
    """

    requests_limit: int
    requests_remaining: int
    reset_seconds: float
    concurrent_now: int
    concurrent_limit: int
    characters_limit: int | None = None
    characters_remaining: int | None = None
