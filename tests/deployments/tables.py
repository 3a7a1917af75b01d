"""Rows that a router reads, and questions to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from apps.accounts.models import Organization
from apps.deployments.models import Deployment, Worker
from apps.deployments.routing import Need, Router, Target
from apps.deployments.states import State
from tests.deployments.fake_worker import readiness

_T = TypeVar("_T")
PLATFORM = uuid4()


def deployment(name: str = "one", *, spoken: dict[str, Any] | None = None, **fields: Any) -> Deployment:
    capabilities = readiness() | (spoken or {})
    defaults = {"engine": "cpu", "state": State.READY, "capabilities": capabilities}
    return Deployment.objects.create(name=name, **defaults | fields)


def worker(of: Deployment, name: str = "w1", **fields: Any) -> Worker:
    defaults = {
        "state": Worker.State.READY,
        "url": f"http://127.0.0.1/{of.name}/{name}",
        "capabilities": of.capabilities,
        "last_seen_at": timezone.now(),
    }
    return Worker.objects.create(deployment=of, provider_id=name, **defaults | fields)


async def in_database(work: Callable[[], _T]) -> _T:
    """Runs `work` in a thread of its own, whose connection is given back."""

    def run() -> _T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(run)


def need(organization: Organization | None = None, **changes: Any) -> Need:
    asked: dict[str, Any] = {"tenant": organization.pk if organization else PLATFORM, "model": "hibari"}
    return Need(organization_id=organization and organization.pk, **asked | {"voice": "heart"} | changes)


def found(router: Router, organization: Organization | None = None, **changes: Any) -> list[Target]:
    """The workers with room for such a request, in the order in which it would try them."""
    targets: list[Target] = []
    while slot := router.take(need(organization, **changes), {target.worker_id for target in targets}):
        slot.release()
        targets.append(slot.target)
    return targets


async def until_found(router: Router) -> None:
    async with asyncio.timeout(5):
        while not found(router):  # noqa: ASYNC110 - what changes it is the database
            await asyncio.sleep(0.05)
