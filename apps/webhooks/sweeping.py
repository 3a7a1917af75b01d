"""Finds what nobody was called for, or whose task died. Costs by what is open, not by what was delivered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.utils import timezone

from apps.core.ids import uuid7_floor
from apps.webhooks import claims, health, schedule, waking

logger = structlog.get_logger(__name__)

# By the schedule, as after a failure: one whose task always dies comes to an end, too.
_GIVE_BACK = """
UPDATE webhooks_delivery
SET state = CASE WHEN tries > cardinality(%(delays)s) THEN 'failed' ELSE 'pending' END,
    due_at = now() + COALESCE((%(delays)s)[tries], interval '0'), last_problem = 'interrupted'
WHERE id IN (
    SELECT id FROM webhooks_delivery
    WHERE state = 'sending' AND due_at <= now() LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""

# No attempt takes so long: its task is taken for dead, whatever became of the delivery.
_END_ATTEMPTS = """
UPDATE webhooks_attempt SET outcome = 'interrupted', problem = 'interrupted',
    problem_words = 'The platform was interrupted; whether it arrived is not known.'
WHERE outcome = 'sending' AND id < %(before)s
"""

# From endpoint to endpoint through the index of what waits: not through all that waits for one.
_ENDPOINTS_WITH_DUE = """
WITH RECURSIVE waiting AS (
    (SELECT endpoint_id FROM webhooks_delivery WHERE state = 'pending' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT endpoint_id FROM webhooks_delivery
        WHERE state = 'pending' AND endpoint_id > waiting.endpoint_id ORDER BY endpoint_id LIMIT 1)
    FROM waiting WHERE waiting.endpoint_id IS NOT NULL
)
SELECT endpoint.id FROM waiting JOIN webhooks_endpoint AS endpoint ON endpoint.id = waiting.endpoint_id
WHERE endpoint.disabled_at IS NULL AND endpoint.deleted_at IS NULL
    AND (endpoint.send_from IS NULL OR endpoint.send_from <= now() + interval '1 second')
    AND EXISTS (
        SELECT FROM webhooks_delivery
        WHERE endpoint_id = endpoint.id AND state = 'pending' AND due_at <= now())
    AND EXISTS (
        SELECT FROM webhooks_lane
        WHERE endpoint_id = endpoint.id AND (held_until IS NULL OR held_until <= now()))
"""


def sweep() -> int:
    """Gives back what lapsed and calls for what is due; answers for how many endpoints."""
    given_back = give_back()
    if given_back:
        logger.warning("deliveries given back", count=given_back)
    due = endpoints_with_due()
    for endpoint_id in due:
        waking.call(endpoint_id)
    health.mail_due()
    return len(due)


def give_back() -> int:
    """Ends the attempts of tasks that are taken for dead; answers how many deliveries wait anew."""
    before = uuid7_floor(timezone.now() - claims.LEASE)
    values: dict[str, Any] = {"delays": list(schedule.DELAYS)}
    with connection.cursor() as cursor:
        cursor.execute(_END_ATTEMPTS, {"before": before})
        cursor.execute(_GIVE_BACK, values)
        return int(cursor.rowcount)


def endpoints_with_due() -> list[UUID]:
    """Those that are enabled, have something due, and a lane to send it by."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDPOINTS_WITH_DUE)
        return [row[0] for row in cursor.fetchall()]
