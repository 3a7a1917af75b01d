"""`python -m bench.webhook_events FILE`: causes events as the platform's rooms do, in transactions.

Told `{"make": [ports]}` it makes an organization with an endpoint for each port, and FILE gets their ids.
Told `{"organizations": […], "per_second": n, "seconds": s}` it causes n events a second, whatever becomes of
them; with `{"organizations": […], "burst": n}` as many as fast as it can. FILE gets when each was committed,
by its message's id and the machine's monotonic clock.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

import django

_THREADS = 4
_DATA = {"threshold": 80, "monthly_usd": "200.00", "spent_usd": "160.42", "stops": True}


def make(ports: list[int]) -> list[str]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from apps.accounts.models import Organization
    from apps.webhooks.services import create_endpoint

    ids = []
    for number, port in enumerate(ports):
        organization = Organization.objects.create(name=f"Receiver {number}", slug=f"receiver-{number}")
        create_endpoint(organization=organization, url=f"http://127.0.0.1:{port}/hook", created_by=None)
        ids.append(str(organization.pk))
    return ids


def cause(organization_id: UUID) -> tuple[str, float]:
    """One event; its message's id and the moment after its commit."""
    from django.db import connection, transaction

    from apps.webhooks.outbox import emit

    with transaction.atomic():
        event = emit("budget.threshold_reached", organization_id=organization_id, data=_DATA)
    committed = time.monotonic()
    connection.close()
    return event.message_id, committed


def open_loop(organizations: list[UUID], *, per_second: float, seconds: float) -> dict[str, float]:
    began = time.monotonic()
    moments = (began + number / per_second for number in range(int(per_second * seconds)))

    def at(moment: float, organization_id: UUID) -> tuple[str, float]:
        time.sleep(max(0.0, moment - time.monotonic()))
        return cause(organization_id)

    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(pool.map(at, moments, cycle(organizations)))


def burst(organizations: list[UUID], count: int) -> dict[str, float]:
    turns = cycle(organizations)
    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(pool.map(cause, (next(turns) for _ in range(count))))


def main(told: dict[str, Any]) -> object:
    if "make" in told:
        return make(told["make"])
    organizations = [UUID(text) for text in told["organizations"]]
    if "burst" in told:
        return burst(organizations, told["burst"])
    return open_loop(organizations, per_second=told["per_second"], seconds=told["seconds"])


if __name__ == "__main__":
    django.setup()
    Path(sys.argv[1]).write_text(json.dumps(main(json.load(sys.stdin))))
