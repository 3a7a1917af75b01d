"""`python -m bench.webhook_sweeps FILE`: what a sweep costs beside a history of deliveries.

Told `{"sizes": […], "rounds": n}` it makes the history that large, step by step, beside a few deliveries that
are due and a few that wait, and times what a sweep asks of the database. FILE gets the median in ms by size.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django

_ENDPOINTS = 50
_HISTORY = """
INSERT INTO webhooks_delivery (id, event_id, endpoint_id, organization_id, event_type, state, due_at,
    attempts, tries, attempt_id, last_status, last_problem)
SELECT (
        lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(number::text), 1, 3) || '8' || substr(md5(number::text), 4, 15)
    )::uuid, gen_random_uuid(), endpoint.id, endpoint.organization_id, 'key.created', 'delivered',
    now() - interval '1 day', 1, 1, gen_random_uuid(), 200, ''
FROM generate_series(%s, %s) AS number
JOIN (SELECT id, organization_id, row_number() OVER () - 1 AS place FROM webhooks_endpoint) AS endpoint
    ON endpoint.place = number %% (SELECT count(*) FROM webhooks_endpoint)
"""


def seed() -> None:
    """Each endpoint has one delivery that is due and one that waits for its next attempt."""
    from datetime import timedelta

    from django.db import transaction
    from django.utils import timezone

    from apps.accounts.models import Organization
    from apps.webhooks.models import Delivery
    from apps.webhooks.outbox import emit
    from apps.webhooks.services import create_endpoint

    data = {"threshold": 80, "monthly_usd": "200.00", "spent_usd": "160.42", "stops": True}
    for number in range(_ENDPOINTS):
        organization = Organization.objects.create(name=f"Sweep {number}", slug=f"sweep-{number}")
        create_endpoint(organization=organization, url=f"http://127.0.0.1:9/{number}", created_by=None)
        with transaction.atomic():
            emit("budget.threshold_reached", organization_id=organization.pk, data=data)
            waiting = emit("budget.threshold_reached", organization_id=organization.pk, data=data)
        later = timezone.now() + timedelta(hours=1)
        Delivery.objects.filter(event_id=waiting.pk).update(due_at=later)


def measure(sizes: list[int], rounds: int) -> dict[str, float]:
    from django.core.management import call_command
    from django.db import connection

    from apps.webhooks import sweeping

    call_command("migrate", verbosity=0, interactive=False)
    seed()
    made, figures = 0, {}
    for size in sizes:
        with connection.cursor() as cursor:
            cursor.execute(_HISTORY, [made + 1, size])
            made = size
            cursor.execute("VACUUM ANALYZE webhooks_delivery")
        assert len(sweeping.endpoints_with_due()) == _ENDPOINTS
        figures[str(size)] = _median_ms(_ask, rounds)
    return figures


def _ask() -> None:
    from apps.webhooks import sweeping

    sweeping.give_back()
    sweeping.endpoints_with_due()


def _median_ms(act: Callable[[], None], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    django.setup()
    told = json.load(sys.stdin)
    Path(sys.argv[1]).write_text(json.dumps(measure(told["sizes"], told["rounds"])))
