"""The statements that a delivery goes through: taken, attempted, written down. Each is one transaction.

All times are the database's: a task whose machine's clock is off sends at the right moment, with the right
timestamp. The attempt is in the log before the request leaves, and is ended once, whoever comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from apps.core.ids import uuid7

# Longer than an attempt with what comes before and after it.
LEASE: Final = timedelta(seconds=30)

# A delivery that may be sent now.
_DUE = """
    WHERE endpoint_id = %(endpoint)s AND state = 'pending' AND due_at <= now() AND EXISTS (
        SELECT FROM webhooks_endpoint WHERE id = %(endpoint)s AND disabled_at IS NULL AND deleted_at IS NULL)
"""
_CLAIM = f"""
WITH chosen AS (
    SELECT id FROM webhooks_delivery {_DUE}
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE webhooks_delivery AS delivery
    SET state = 'sending', due_at = now() + %(lease)s, attempt_id = %(attempt)s,
        attempts = attempts + 1, tries = tries + 1
    FROM chosen WHERE delivery.id = chosen.id
    RETURNING delivery.id, event_id, attempts, tries
), logged AS (
    INSERT INTO webhooks_attempt (id, delivery_id, number, outcome, problem, problem_words, request_headers,
        response_headers, response_body, is_cut)
    SELECT %(attempt)s, id, attempts, 'sending', '', '', '{{}}', '{{}}', '', false FROM claimed
)
SELECT claimed.id, event.id, event.type, event.body, claimed.tries, now()
FROM claimed JOIN webhooks_event AS event ON event.id = claimed.event_id
"""  # noqa: S608 - no word of it comes from outside

_FINISH = """
WITH attempt AS (
    UPDATE webhooks_attempt
    SET outcome = %(outcome)s, status = %(status)s, problem = %(problem)s, problem_words = %(problem_words)s,
        duration_ms = %(duration_ms)s, request_headers = %(request_headers)s,
        response_headers = %(response_headers)s, response_body = %(response_body)s, is_cut = %(is_cut)s,
        next_attempt_at = now() + %(retry_in)s
    WHERE id = %(attempt)s AND outcome IN ('sending', 'interrupted')
)
UPDATE webhooks_delivery
SET state = %(state)s, due_at = COALESCE(now() + %(retry_in)s, due_at), last_status = %(status)s,
    last_problem = %(problem)s
WHERE id = %(delivery)s AND (
    (state = 'sending' AND attempt_id = %(attempt)s)
    OR (%(outcome)s = 'delivered' AND state IN ('pending', 'sending', 'failed', 'cancelled'))
)
RETURNING id
"""

_HEARD = """
UPDATE webhooks_endpoint SET failing_since = NULL, last_success_at = now()
WHERE id = %(endpoint)s AND (failing_since IS NOT NULL OR last_success_at IS NULL
    OR last_success_at < now() - interval '1 minute')
"""

_NOT_HEARD = """
UPDATE webhooks_endpoint SET failing_since = now() WHERE id = %(endpoint)s AND failing_since IS NULL
"""

_SLOW = """
UPDATE webhooks_endpoint SET slow_until = now() + interval '2 minutes'
WHERE id = %(endpoint)s AND (slow_until IS NULL OR slow_until < now() + interval '1 minute')
"""

_HAS_DUE = f"SELECT EXISTS (SELECT FROM webhooks_delivery {_DUE})"  # noqa: S608 - as above

# The rate limit's next place, where it comes within a second: how long until then.
_PLACE = """
WITH was AS (
    SELECT GREATEST(now(), send_from) AS place FROM webhooks_endpoint WHERE id = %(endpoint)s FOR UPDATE)
UPDATE webhooks_endpoint SET send_from = was.place + %(every)s FROM was
WHERE id = %(endpoint)s AND was.place <= now() + interval '1 second'
RETURNING EXTRACT(EPOCH FROM was.place - now())
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours to attempt, until its lease is over. `now` is the database's."""

    delivery_id: UUID
    event_id: UUID
    event_type: str
    body: str
    tries: int
    now: datetime
    attempt_id: UUID
    endpoint_id: UUID


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went; `state` is where the delivery stands by it, `retry_in` when it is tried again."""

    outcome: str
    state: str
    status: int | None
    problem: str
    problem_words: str
    duration_ms: int
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    response_body: str
    is_cut: bool
    retry_in: timedelta | None


def claim_next(endpoint_id: UUID) -> Claim | None:
    """The delivery that has been due for longest; None where none is, or the endpoint is not enabled."""
    attempt_id = uuid7()
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"endpoint": endpoint_id, "attempt": attempt_id, "lease": LEASE}
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    if row is None:
        return None
    delivery_id, event_id, event_type, body, tries, now = row
    return Claim(delivery_id, event_id, event_type, body, tries, now, attempt_id, endpoint_id)


def finish(claim: Claim, outcome: Outcome) -> bool:
    """False where another task has the delivery by now, and decides what becomes of it."""
    values: dict[str, Any] = {field: getattr(outcome, field) for field in Outcome.__dataclass_fields__} | {
        "attempt": claim.attempt_id,
        "delivery": claim.delivery_id,
        "request_headers": Jsonb(outcome.request_headers),
        "response_headers": Jsonb(outcome.response_headers),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, values)
        return cursor.fetchone() is not None


def note_heard(endpoint_id: UUID) -> None:
    _run(_HEARD, endpoint_id)


def note_not_heard(endpoint_id: UUID) -> None:
    _run(_NOT_HEARD, endpoint_id)


def note_slow(endpoint_id: UUID) -> None:
    _run(_SLOW, endpoint_id)


def has_due(endpoint_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_HAS_DUE, {"endpoint": endpoint_id})
        return bool(cursor.fetchone()[0])


def place(endpoint_id: UUID, per_minute: int) -> float | None:
    """Takes the next place of the rate limit: seconds until it, or None where that is not soon."""
    values: dict[str, Any] = {"endpoint": endpoint_id, "every": timedelta(minutes=1) / per_minute}
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, values)
        row = cursor.fetchone()
    return float(row[0]) if row else None


def _run(statement: str, endpoint_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"endpoint": endpoint_id})
