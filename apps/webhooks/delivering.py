"""What one task does for an endpoint: takes a lane and sends what is due, one after another.

No connection to the database is held while a request is under way, and no transaction spans one.
"""

from __future__ import annotations

import threading
import time
from typing import Final
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, connection

from apps.webhooks import attempts, claims, health, lanes, waking
from apps.webhooks.claims import Claim, Outcome
from apps.webhooks.models import Endpoint

logger = structlog.get_logger(__name__)

# Then another task goes on: endpoints that wait for a thread get one.
TURN_SECONDS: Final = 20.0
# How long what is known of an endpoint serves; whether it is enabled is asked with each claim.
KNOWN_SECONDS: Final = 2.0
# A retry that comes so soon is called for; the sweep sees to the others.
CALLED_SECONDS: Final = 60.0
# The database may be restarting: what came of an attempt is worth some patience.
WRITING_PAUSES_SECONDS: Final = (0.2, 0.5, 1, 2, 4, 8)
# Of all threads of a process, those that endpoints known to be slow may hold together.
SLOW_THREADS: Final = 32

stopping = threading.Event()
slow_places = threading.BoundedSemaphore(SLOW_THREADS)


def deliver(endpoint_id: UUID) -> None:
    """Sends what is due there, as long as a lane is free; what is left calls for another turn."""
    waking.heard(endpoint_id)
    endpoint = _known(endpoint_id)
    if endpoint is None:
        return
    if not endpoint.is_slow:
        _deliver(endpoint)
    elif slow_places.acquire(blocking=False):
        try:
            _deliver(endpoint)
        finally:
            slow_places.release()


def _deliver(endpoint: Endpoint) -> None:
    turn_ends = time.monotonic() + TURN_SECONDS
    while not stopping.is_set():
        lane = lanes.take(endpoint.pk)
        if lane is None:
            return
        try:
            if not _drain(endpoint, lane, turn_ends):
                waking.call(endpoint.pk)
                return
        finally:
            lane.release()
        # Whoever committed while all lanes were held was sent away: what they left is looked for once more.
        if not claims.has_due(endpoint.pk) or endpoint.rate_limit_per_minute:
            return


def _drain(endpoint: Endpoint, lane: lanes.Held, turn_ends: float) -> bool:
    """False where the turn was over first."""
    known: Endpoint | None = endpoint
    known_at = time.monotonic()
    while True:
        if time.monotonic() > turn_ends or stopping.is_set():
            return False
        if time.monotonic() - known_at > KNOWN_SECONDS:
            known, known_at = _known(endpoint.pk), time.monotonic()
        if known is None or not lane.renew() or not _has_place(known):
            return True
        claim = claims.claim_next(endpoint.pk)
        if claim is None:
            return True
        connection.close()
        outcome = attempts.attempt(known, claim)
        _write(known, claim, outcome)


def _has_place(endpoint: Endpoint) -> bool:
    """Waits for the rate limit where it admits one within a second; else calls for a look when it does."""
    per_minute = endpoint.rate_limit_per_minute
    if per_minute is None:
        return True
    if not claims.has_due(endpoint.pk):
        return False
    seconds = claims.place(endpoint.pk, per_minute)
    if seconds is None:
        waking.call(endpoint.pk, in_seconds=min(60 / per_minute, CALLED_SECONDS))
        return False
    connection.close()
    time.sleep(max(seconds, 0))
    return True


def _write(endpoint: Endpoint, claim: Claim, outcome: Outcome) -> None:
    """What came of it; a database that is away for some seconds is waited for.

    Where it is not back by then the lease runs out, the attempt is logged as interrupted, and made anew.
    """
    for pause in (*WRITING_PAUSES_SECONDS, None):
        try:
            health.finish(endpoint, claim, outcome)
            break
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if pause is None:
                raise
            logger.warning(
                "attempt not written yet", attempt=str(claim.attempt_id), error=type(error).__name__
            )
            time.sleep(pause)
    if outcome.retry_in is not None and outcome.retry_in.total_seconds() <= CALLED_SECONDS:
        waking.call(endpoint.pk, in_seconds=outcome.retry_in.total_seconds())


def _known(endpoint_id: UUID) -> Endpoint | None:
    """With its secrets; None where it is not enabled."""
    found: Endpoint | None = (
        Endpoint.objects.enabled().prefetch_related("secrets").filter(pk=endpoint_id).first()
    )
    return found
