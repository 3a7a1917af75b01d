"""Speech from the pages of other sites: off, but for the origins that a key lists.

A preflight carries no key: it is let through where any key lists its origin. The answer itself may be read
by the page only where the key that was sent lists it.
"""

from __future__ import annotations

import re

from apps.keys.origins import KnownOrigins
from apps.tts.calls import Answer, Call

MAX_AGE_SECONDS = 600
EXPOSED = ", ".join(
    (
        "Content-Length",
        "Retry-After",
        "retry-after-ms",
        "x-should-retry",
        "Preference-Applied",
        "X-Request-Id",
        "X-Model",
        "X-Voice",
        "X-Characters",
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "X-Quota-Limit",
        "X-Quota-Remaining",
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
        "openai-processing-ms",
        "Idempotent-Replayed",
        "request-id",
        "character-cost",
    )
)
# What SDKs send changes with their releases; names are all that is let through here.
_HEADER_NAMES = re.compile(r"[A-Za-z0-9-]{1,64}(\s*,\s*[A-Za-z0-9-]{1,64}){0,49}")

_known = KnownOrigins()


def is_preflight(call: Call) -> bool:
    headers = call.headers
    return call.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


async def preflight(call: Call, *, method: str) -> Answer | None:
    """`None` where no key lists the origin: the path then has no OPTIONS."""
    origin = call.headers["origin"]
    if not await _known.hold(origin):
        return None
    asked = call.headers.get("access-control-request-headers", "")
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": method,
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
        "Vary": "Origin, Access-Control-Request-Headers",
    }
    if _HEADER_NAMES.fullmatch(asked):
        headers["Access-Control-Allow-Headers"] = asked
    return Answer(headers=headers)


async def let_read(answer: Answer, call: Call) -> None:
    """Lets the page read the answer where its key lists its origin; a refused key may belong to any."""
    origin = call.headers["origin"]
    answer.headers["Vary"] = "Origin"
    allowed = call.allowed_origins
    if origin in allowed if allowed is not None else await _known.hold(origin):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = EXPOSED
