"""Asks workers to forget a recording that nobody may speak with any more, where they can be addressed.

They would use it no more without a token of ours, and would drop it within a day.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import aiohttp
import structlog
from django.db.models import Q

from apps.deployments.catalogue import CLONE
from apps.deployments.models import Deployment, Worker
from gpu_worker.protocol import TOKEN_HEADER

logger = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 5.0


def forget(organization_id: UUID, sha256: str) -> int:
    """Of all workers that may have spoken for the organization; returns how many had it."""
    owners = Q(deployment__organization_id=organization_id) | Q(deployment__organization=None)
    workers = Worker.objects.filter(owners, capabilities__features__contains=[CLONE]).exclude(url="")
    # Behind one address are several, of which it is not ours to say who hears it.
    hidden = Q(deployment__provider=Deployment.Provider.VERDA, deployment__kind=Deployment.Kind.SERVERLESS)
    addressed = workers.exclude(state=Worker.State.LOST).exclude(hidden)
    return sum(asyncio.run(_ask_all(list(addressed), sha256)))


async def _ask_all(workers: list[Worker], sha256: str) -> list[bool]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)) as session:
        return await asyncio.gather(*(_ask(session, worker, sha256) for worker in workers))


async def _ask(session: aiohttp.ClientSession, worker: Worker, sha256: str) -> bool:
    headers = {TOKEN_HEADER: worker.token} if worker.token else {}
    try:
        async with session.delete(f"{worker.url}/voices/{sha256}", headers=headers) as response:
            return response.status == 204
    except (aiohttp.ClientError, TimeoutError) as error:
        logger.info("worker not told to forget", worker=str(worker.pk), error=type(error).__name__)
        return False
