"""What a speech process holds for all its requests: ledger, leases, router and upstream connections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

import aiohttp
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from apps.deployments.routing import Router
from apps.tts.cloning import Clones
from apps.tts.history.recording import Recorder
from apps.tts.idempotency.answering import Idempotency
from apps.tts.tapes import Tapes
from apps.usage.admission import Admission
from apps.usage.leases import Leases
from apps.usage.ledger import Ledger

CONNECT_SECONDS = 2.0
# Between two reads from a worker: longer than its slowest piece, shorter than a client's patience.
READ_SECONDS = 60.0
# Django's parameters hold psycopg's own beside libpq's.
LIBPQ_NAMES = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


@dataclass(slots=True)
class Runtime:
    """Belongs to one event loop; made at the server's start, or at the first request."""

    ledger: Ledger
    leases: Leases
    admission: Admission
    router: Router
    upstream: aiohttp.ClientSession
    idempotency: Idempotency
    clones: Clones
    history: Recorder
    loop: asyncio.AbstractEventLoop

    _current: ClassVar[Runtime | None] = None
    _starting: ClassVar[asyncio.Lock | None] = None

    @classmethod
    async def current(cls) -> Runtime:
        if cls._current is not None:
            return cls._current
        cls._starting = cls._starting or asyncio.Lock()
        async with cls._starting:
            if cls._current is None:
                cls._current = await cls.start()
        return cls._current

    @classmethod
    async def stop(cls) -> None:
        """Writes what is still to be settled and closes every connection."""
        runtime, cls._current, cls._starting = cls._current, None, None
        if runtime is not None:
            await runtime.close()

    async def close(self) -> None:
        """As `stop`, of one that `start` made."""
        await self.upstream.close()
        await self.idempotency.stop()
        self.clones.stop()
        await self.history.stop()
        await self.router.stop()
        await self.admission.stop()
        await self.ledger.stop()
        await self.leases.stop()

    @classmethod
    async def start(cls) -> Runtime:
        """One apart from the server's, for work of its own on this loop; to be closed."""
        ledger = Ledger(database_conninfo())
        leases = Leases(settings.REDIS_URL)
        router = Router(
            refresh_seconds=settings.ROUTING_REFRESH_MS / 1000,
            queue_places=settings.SPEECH_QUEUE_MAX,
            queue_seconds=settings.SPEECH_QUEUE_SECONDS,
        )
        await ledger.start()
        await leases.start()
        await router.start()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        upstream = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=timeout,
            auto_decompress=False,
            trust_env=False,
        )
        admission = Admission(ledger=ledger, leases=leases)
        tapes = Tapes()
        idempotency = Idempotency(owner_id=ledger.owner_id, tapes=tapes)
        loop = asyncio.get_running_loop()
        history = Recorder(tapes)
        return cls(ledger, leases, admission, router, upstream, idempotency, Clones(), history, loop)


def database_conninfo() -> str:
    """The platform's database as libpq reads it; the ledger writes without the ORM."""
    parameters = connection.get_connection_params()
    parts = {name: value for name, value in parameters.items() if name in LIBPQ_NAMES}
    return make_conninfo(application_name="voiceflow-ledger", **parts)
