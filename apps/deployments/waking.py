"""Wakes deployments off the event loop, each once at a time however many requests ask for it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, connection

from apps.core import metrics
from apps.deployments import services

logger = structlog.get_logger(__name__)


class Waker:
    """Of one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[UUID, asyncio.Task[bool]] = {}

    async def wake(self, deployment_id: UUID) -> bool:
        """True once it is on its way, whoever woke it; false where the database could not be asked."""
        # A request that gives up ends its own wait, not the wake that others wait for.
        return await asyncio.shield(self.begin(deployment_id))

    def begin(self, deployment_id: UUID) -> asyncio.Task[bool]:
        """As `wake`, without waiting for it."""
        task = self._tasks.get(deployment_id)
        if task is None:
            task = asyncio.create_task(_wake(deployment_id), name="wake")
            self._tasks[deployment_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(deployment_id, None))
        return task

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def _wake(deployment_id: UUID) -> bool:
    try:
        is_ours = await asyncio.to_thread(_wake_in_thread, deployment_id)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("not woken, the database is away", deployment=str(deployment_id), detail=str(error))
        return False
    if is_ours:
        metrics.DEPLOYMENT_WAKES.inc()
        logger.info("deployment woken", deployment=str(deployment_id))
    return True


def _wake_in_thread(deployment_id: UUID) -> bool:
    try:
        return services.wake_deployment(deployment_id)
    finally:
        connection.close()  # a thread of the executor would keep it for itself
