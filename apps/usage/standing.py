"""What a caller is told of its limits: where it stands, and why it was refused."""

from __future__ import annotations

import math

from apps.core.errors import QuotaExceeded, RateLimited
from apps.core.standing import Standing
from apps.usage.leases import Figures, Verdict
from apps.usage.places import Bound, Lease
from apps.usage.quota import month_end


def standing_of(lease: Lease, verdict: Verdict) -> Standing:
    """At the place that is nearer to its limit, of each kind by itself."""
    found = [_standing_at(bound, at) for bound, at in zip(lease.bounds, verdict.figures, strict=True)]
    whole = found[0]
    if len(found) == 1:
        return whole
    requests = min((at for at in found if at.requests_limit), key=lambda at: at.requests_remaining)
    running = min((at for at in found if at.concurrent_limit), key=_places_left)
    counted = [at for at in found if at.characters_remaining is not None]
    month = min(counted, key=lambda at: at.characters_remaining or 0, default=whole)
    return Standing(
        requests_limit=requests.requests_limit,
        requests_remaining=requests.requests_remaining,
        reset_seconds=requests.reset_seconds,
        concurrent_now=running.concurrent_now,
        concurrent_limit=running.concurrent_limit,
        characters_limit=month.characters_limit,
        characters_remaining=month.characters_remaining,
    )


def standing_without_redis(lease: Lease, running: int) -> Standing:
    """What this process knows by itself: nothing of a rate or of a month."""
    whole = lease.bounds[0]
    return Standing(
        requests_limit=whole.requests_per_minute,
        requests_remaining=0,
        reset_seconds=0.0,
        concurrent_now=running,
        concurrent_limit=whole.concurrent_requests,
    )


def headers_of(standing: Standing) -> dict[str, str]:
    """Of our own surface; the reset is in whole seconds from now."""
    headers = {
        "X-RateLimit-Limit": str(standing.requests_limit),
        "X-RateLimit-Remaining": str(standing.requests_remaining),
        "X-RateLimit-Reset": str(math.ceil(standing.reset_seconds)),
    }
    if standing.characters_limit is not None:
        headers["X-Quota-Limit"] = str(standing.characters_limit)
    if standing.characters_remaining is not None:
        headers["X-Quota-Remaining"] = str(standing.characters_remaining)
    return headers


def too_fast(lease: Lease, verdict: Verdict) -> RateLimited:
    bound = lease.bounds[verdict.refusing]
    return RateLimited(
        f"Over {bound.requests_per_minute} requests a minute{_whose(bound)}. Slow down.",
        retry_after_seconds=verdict.wait_ms / 1000,
        standing=standing_of(lease, verdict),
    )


def too_many(bound: Bound, standing: Standing) -> RateLimited:
    return RateLimited(
        f"Over {bound.concurrent_requests} requests at once{_whose(bound)}. Wait for one to end.",
        code="too_many_concurrent_requests",
        standing=standing,
    )


def used_up(lease: Lease, verdict: Verdict) -> QuotaExceeded:
    bound, at = lease.bounds[verdict.refusing], verdict.figures[verdict.refusing]
    running = f" and {at.reserved:,} are taken by requests that run" if at.reserved else ""
    return QuotaExceeded(
        f"{bound.characters_per_month:,} characters a month are allowed{_whose(bound)}; {at.used:,} are used"
        f"{running}, and this text has {lease.characters:,}. "
        f"The month ends on {month_end(bound.place.month):%Y-%m-%d} at 00:00 UTC.",
        standing=standing_of(lease, verdict),
    )


def _standing_at(bound: Bound, at: Figures) -> Standing:
    limit = bound.characters_per_month
    return Standing(
        requests_limit=bound.requests_per_minute,
        requests_remaining=at.requests_left,
        reset_seconds=at.full_ms / 1000,
        concurrent_now=at.in_flight,
        concurrent_limit=bound.concurrent_requests,
        characters_limit=limit or None,
        characters_remaining=max(0, limit - at.used - at.reserved) if limit and at.used >= 0 else None,
    )


def _places_left(standing: Standing) -> int:
    return standing.concurrent_limit - standing.concurrent_now


def _whose(bound: Bound) -> str:
    return " with this key" if bound.place.key_id else ""
